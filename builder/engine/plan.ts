import type { NamedImage } from "../../store/oci/image.ts";
import { hostPlatform, parsePlatform, type Platform } from "../../store/oci/platform.ts";
import { givenHostname } from "../options/builtin-args.ts";
import type { ContextTable } from "../inputs/context/named.ts";
import type { DockerfileAst } from "../dockerfile/ast.ts";
import type { ProgressSink } from "../graph/events.ts";
import { convert, type BuildPlan, type ConvertOptions } from "../convert/convert.ts";
import type { ConvertObserver } from "../convert/observer.ts";
import { internalStep } from "../graph/internal-step.ts";
import type { BuildOptions } from "../options/options.ts";
import { layoutImage, type LayoutRequest } from "../inputs/source/image/layout.ts";
import { locateBase, shownName } from "./locate-base.ts";
import type { BuildRequest } from "./request.ts";
import type { BuildSession } from "./session.ts";
import type { BuildStages } from "./stages.ts";

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

/** The step graph of a build, and the images that it stands on. */
export interface PlannedBuild extends BuildPlan {
  /** By the digests of their manifests. */
  readonly images: ReadonlyMap<string, NamedImage>;
}

/** Plans a build: images are looked up, and nothing of them but documents is fetched. @throws DockerfileError */
export async function planBuild(
  { options, ast }: BuildStages,
  session: BuildSession,
  { contexts, devices, observer }: Pick<BuildRequest, "contexts" | "devices"> & { readonly observer: ConvertObserver },
): Promise<PlannedBuild> {
  const { store, emit, signal, credentials } = session;
  const images = new Map<string, NamedImage>();
  const keep = (found: NamedImage): NamedImage => {
    images.set(found.manifest.descriptor.digest, found);
    return found;
  };
  const plan = await makePlan({
    options,
    ast,
    emit,
    contexts,
    devices,
    observer,
    keepUser: (url, user) => credentials.keep(url, user),
    findImage: async (name, platform) => keep(await session.images.find(name, platform)),
    findLayout: async (request) => keep(await layoutImage(store, { ...request, signal })),
  });
  return { ...plan, images };
}
