import { errorMessage } from "../../native/errors.ts";
import type { Platform } from "../../store/oci/platform.ts";
import type { DockerfileAst } from "../dockerfile/ast.ts";
import { DockerfileError } from "../base/error.ts";
import { expandWord } from "../dockerfile/expand.ts";

/** The platforms a build is for and on. */
export interface BuildPlatforms {
  readonly target: Platform;
  readonly build: Platform;
  /** The target was asked for. */
  readonly explicit?: boolean;
}

/** --build-arg names that steer the builder itself. */
export const builderArgs: ReadonlySet<string> = new Set([
  "BUILDKIT_BUILD_NAME",
  "BUILDKIT_CACHE_MOUNT_NS",
  "BUILDKIT_CONTEXT_KEEP_GIT_DIR",
  "BUILDKIT_DOCKERFILE_CHECK",
  "BUILDKIT_GIT_ADVICE",
  "BUILDKIT_INLINE_CACHE",
  "BUILDKIT_MULTI_PLATFORM",
  "BUILDKIT_SANDBOX_HOSTNAME",
  "BUILDKIT_SYNTAX",
  "SOURCE_DATE_EPOCH",
]);

/** `os/arch[/variant]`. */
function platformText(platform: Platform): string {
  return [platform.os, platform.architecture, platform.variant]
    .filter((part) => part !== undefined && part !== "")
    .join("/");
}

/** The predefined ARGs of the global scope. @see features S10 */
export function predefinedArgs(platforms: BuildPlatforms, target: string | undefined): ReadonlyMap<string, string> {
  const of = (prefix: string, platform: Platform): [string, string][] => [
    [`${prefix}PLATFORM`, platformText(platform)],
    [`${prefix}OS`, platform.os],
    [`${prefix}OSVERSION`, platform["os.version"] ?? ""],
    [`${prefix}ARCH`, platform.architecture],
    [`${prefix}VARIANT`, platform.variant ?? ""],
  ];
  return new Map([
    ...of("BUILD", platforms.build),
    ...of("TARGET", platforms.target),
    ["TARGETSTAGE", target ?? "default"],
  ]);
}

/** ARGs before the first FROM, evaluated in order over the predefined ones; --build-arg wins. */
export function evaluateGlobalArgs(
  ast: DockerfileAst,
  predefined: ReadonlyMap<string, string>,
  buildArgs: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const values = new Map([...predefined].map(([key, value]) => [key, buildArgs.get(key) ?? value]));
  for (const { key, value: raw, location } of ast.globalArgs.flatMap((instruction) => instruction.args)) {
    const given = buildArgs.get(key);
    if (given !== undefined) values.set(key, given);
    else if (raw !== undefined) values.set(key, expandGlobal(ast, raw, values, location));
  }
  return values;
}

/** A word of FROM or of a global ARG, expanded in the global scope. @throws E_EXPAND */
export function expandGlobal(
  ast: DockerfileAst,
  raw: string,
  values: ReadonlyMap<string, string>,
  location: DockerfileError["location"],
): string {
  try {
    return expandWord(raw, values, { escape: ast.escape }).text;
  } catch (error) {
    if (error instanceof DockerfileError) throw error;
    throw new DockerfileError(`Cannot expand ${raw}: ${errorMessage(error)}`, {
      code: "E_EXPAND",
      location,
      source: ast.text,
      cause: error,
    });
  }
}
