import { parseIgnore } from "../../builder/base/patterns/ignore.ts";
import { parseDockerfile } from "../../builder/dockerfile/parse.ts";
import { convert } from "../../builder/convert/convert.ts";
import { Linter, type LintWarning } from "../../builder/lint/linter.ts";
import type { Rule } from "../../builder/lint/rule.ts";
import { namedImage } from "./named-image.ts";
import { parsePlatform } from "../../store/oci/platform.ts";

/** How a text is checked. */
export interface LintRequest {
  readonly ignore?: string | undefined;
  readonly buildArgs?: Readonly<Record<string, string>> | undefined;
  readonly target?: string;
  readonly allStages?: boolean;
  /** What every base image says. */
  readonly base?:
    | {
        readonly os?: string;
        readonly architecture?: string;
        readonly env?: readonly string[];
        readonly shell?: string;
        readonly onbuild?: readonly string[];
      }
    | undefined;
  /** Rules beside BuildKit's. */
  readonly own?: readonly Rule[];
}

/** What a check of the text found, and what it failed with. */
export interface Linted {
  readonly warnings: readonly LintWarning[];
  readonly error: unknown;
}

/** Reads and converts a Dockerfile for linux/amd64 as a build does; base images are what the request says. */
export async function lintText(text: string, request: LintRequest = {}): Promise<Linted> {
  const { buildArgs = {}, base = {}, own = [], target, allStages = false } = request;
  const ignore = request.ignore === undefined ? undefined : parseIgnore(request.ignore, ".dockerignore");
  const linter = new Linter({ source: text, given: buildArgs["BUILDKIT_DOCKERFILE_CHECK"], ignore, own, target });
  const platform = parsePlatform("linux/amd64");
  const { os = "linux", architecture = "amd64", env = ["PATH=/bin"], shell, onbuild = [] } = base;
  const config = { Env: env, OnBuild: onbuild, ...(shell === undefined ? {} : { Shell: [shell] }) };
  const image = { os, architecture, config, rootfs: { type: "layers" as const, diff_ids: [] } };
  try {
    const ast = parseDockerfile(text, "Dockerfile", { observer: linter });
    await convert(ast, {
      target,
      buildArgs: new Map(Object.entries(buildArgs)),
      labels: {},
      platforms: { target: platform, build: platform },
      network: "default",
      allow: new Set(),
      devices: { resolve: (requests) => requests.map(({ name }) => name) },
      limits: {},
      hostname: undefined,
      epoch: undefined,
      noCache: false,
      contexts: new Map(),
      keepUser: () => undefined,
      observer: linter,
      allStages,
      resolveImage: async (name) => await Promise.resolve(namedImage(name, image)),
      resolveLayout: async () => await Promise.reject(new RangeError("no layouts here")),
    });
    linter.verdict();
    return { warnings: linter.warnings, error: undefined };
  } catch (error) {
    return { warnings: linter.warnings, error };
  }
}
