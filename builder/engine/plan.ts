import { TsbuildError } from "../../native/errors.ts";
import type { NamedImage } from "../../store/oci/image.ts";
import { hostPlatform, parsePlatform, type Platform } from "../../store/oci/platform.ts";
import { normalizeReference, parseReference } from "../../store/oci/reference.ts";
import { givenHostname } from "../options/builtin-args.ts";
import type { ContextTable } from "../inputs/context/named.ts";
import type { DockerfileAst } from "../dockerfile/ast.ts";
import { DockerfileError } from "../base/error.ts";
import type { SourceLocation } from "../base/location.ts";
import { suggest } from "../base/suggest.ts";
import type { ProgressSink } from "../graph/events.ts";
import { convert, type BuildPlan, type ConvertOptions } from "../convert/convert.ts";
import type { ConvertObserver } from "../convert/observer.ts";
import { internalStep } from "../graph/internal-step.ts";
import type { BuildOptions } from "../options/options.ts";
import type { LayoutRequest } from "../inputs/source/image/layout.ts";

/** What a plan is made of. */
export interface PlanParts {
  readonly options: BuildOptions;
  readonly ast: DockerfileAst;
  readonly emit: ProgressSink;
  readonly contexts: ContextTable;
  readonly devices: ConvertOptions["devices"];
  readonly observer: ConvertObserver;
  readonly allStages?: boolean;
  readonly keepUser: ConvertOptions["keepUser"];
  readonly findImage: (name: string, platform: Platform) => Promise<NamedImage>;
  readonly findLayout: (request: Omit<LayoutRequest, "signal">) => Promise<NamedImage>;
}

/** The step graph that the options ask for; each image that is looked up is a step of progress. @throws DockerfileError */
export async function makePlan(parts: PlanParts): Promise<BuildPlan> {
  const { options, ast, emit, contexts, devices, observer, allStages = false, keepUser } = parts;
  const build = hostPlatform();
  const target = options.platform === undefined ? build : parsePlatform(options.platform);
  return await convert(ast, {
    target: options.target,
    buildArgs: new Map(Object.entries(options.buildArgs ?? {})),
    labels: options.labels ?? {},
    platforms: { target, build, explicit: options.platform !== undefined },
    // Whether the default one may be the host's is no part of what a step is.
    network: options.network === undefined || options.network === "own" ? "default" : options.network,
    allow: new Set(options.allow),
    devices,
    limits: {
      ...(options.addHosts === undefined ? {} : { hosts: options.addHosts.map(({ name }) => name) }),
      ...(options.ulimits === undefined ? {} : { ulimits: options.ulimits }),
      ...(options.shmSize === undefined ? {} : { shmSize: options.shmSize }),
    },
    hostname: givenHostname(options),
    epoch: options.sourceDateEpoch,
    noCache: options.noCache ?? false,
    contexts,
    observer,
    allStages,
    keepUser,
    resolveImage: async (name, platform, location) =>
      await locateBase(name, location, ast, async () => {
        const step = `[internal] load metadata for ${shownName(name)}`;
        return await internalStep(emit, step, () => parts.findImage(name, platform));
      }),
    resolveLayout: async (name, { path, tag, digest }, platform, location) =>
      await locateBase(name, location, ast, async () => {
        const request = { name, path, tag, digest, platform };
        return await internalStep(emit, `[context ${name}] load metadata for ${path}`, () => parts.findLayout(request));
      }),
  });
}

function shownName(name: string): string {
  try {
    return normalizeReference(name);
  } catch {
    return name;
  }
}

function hostOf(name: string): string {
  try {
    return parseReference(name).host;
  } catch {
    return "docker.io";
  }
}

const commonImages = ["alpine", "busybox", "centos", "debian", "fedora", "golang", "nginx", "node", "python", "ubuntu"];

/** Gives the error of a base image its place in the Dockerfile. */
async function locateBase<T>(
  name: string,
  location: SourceLocation,
  ast: DockerfileAst,
  act: () => Promise<T>,
): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof TsbuildError) || error instanceof DockerfileError) throw error;
    const missing = error.code === "E_REGISTRY_NOT_FOUND";
    // Some registries do not tell strangers what they do not have.
    const unknown = missing || error.code === "E_REGISTRY_AUTH";
    const [repository = name] = name.split(/[:@]/);
    const stages = ast.stages.flatMap((stage) => stage.name ?? []);
    const near = suggest(repository, unknown ? [...stages, ...commonImages] : stages);
    const hints = [
      ...(near === undefined ? [] : [`did you mean \`${name.replace(repository, near)}\`?`]),
      ...(missing ? [`if it is private: tsbuild login ${hostOf(name)}`] : []),
      ...(near !== undefined && missing ? [] : (error.hint ?? "").split("\n").filter((line) => line !== "")),
    ];
    throw new DockerfileError(
      missing ? `Cannot find ${shownName(name)}: it does not exist, or is private` : error.message,
      {
        code: missing ? "E_BASE_NOT_FOUND" : error.code,
        cause: error,
        location,
        source: ast.text,
        notes: missing ? [error.message, ...error.notes] : error.notes,
        ...(hints.length === 0 ? {} : { hint: hints.join("\n") }),
      },
    );
  }
}
