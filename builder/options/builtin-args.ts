import { TsbuildError } from "../../native/errors.ts";
import type { DockerfileAst } from "../dockerfile/ast.ts";
import { isOwnSyntax } from "../dockerfile/syntax.ts";
import { epochArg, readEpoch, writtenEpoch, type EpochTimes } from "./epoch.ts";
import type { GitFlags } from "../graph/git-vertex.ts";
import type { BuildOptions } from "./options.ts";

/** As Go's strconv.ParseBool. */
const truths: ReadonlyMap<string, boolean> = new Map([
  ...["1", "t", "T", "TRUE", "true", "True"].map((text) => [text, true] as const),
  ...["0", "f", "F", "FALSE", "false", "False"].map((text) => [text, false] as const),
]);

/** The frontend that --build-arg BUILDKIT_SYNTAX names; undefined: what the file says. @throws E_SYNTAX_FRONTEND */
export function givenSyntax({ buildArgs = {} }: Pick<BuildOptions, "buildArgs">): string | undefined {
  const value = buildArgs["BUILDKIT_SYNTAX"];
  if (value === undefined || isOwnSyntax(value)) return value;
  throw new TsbuildError(`Cannot use the frontend ${value} of BUILDKIT_SYNTAX: only docker/dockerfile is built in`, {
    code: "E_SYNTAX_FRONTEND",
    hint: "leave --build-arg BUILDKIT_SYNTAX out, or name docker/dockerfile:1",
  });
}

/** What BUILDKIT_DOCKERFILE_CHECK says in the place of the file's `# check=`. */
export function givenChecks({ buildArgs = {} }: Pick<BuildOptions, "buildArgs">): string | undefined {
  return buildArgs["BUILDKIT_DOCKERFILE_CHECK"];
}

/** Whether git's own advice is shown, as BUILDKIT_GIT_ADVICE says. @throws E_BUILD_ARG */
export function givenAdvice({ buildArgs = {} }: Pick<BuildOptions, "buildArgs">): boolean {
  return truthOf(buildArgs, "BUILDKIT_GIT_ADVICE") ?? false;
}

/**
 * What BUILDKIT_CONTEXT_KEEP_GIT_DIR and SOURCE_DATE_EPOCH say of a git context: whether its repository is kept, and that
 * its files are as old as the commit. @throws E_BUILD_ARG
 */
export function givenGitFlags({
  buildArgs = {},
  sourceDateEpoch,
}: Pick<BuildOptions, "buildArgs" | "sourceDateEpoch">): GitFlags {
  return {
    keepGitDir: truthOf(buildArgs, "BUILDKIT_CONTEXT_KEEP_GIT_DIR") ?? false,
    commitTime: (buildArgs[epochArg] ?? sourceDateEpoch ?? "") !== "",
  };
}

/** The name of the host of every RUN, when BUILDKIT_SANDBOX_HOSTNAME gives one. */
export function givenHostname({ buildArgs = {} }: Pick<BuildOptions, "buildArgs">): string | undefined {
  const name = buildArgs["BUILDKIT_SANDBOX_HOSTNAME"];
  return name === "" ? undefined : name;
}

/**
 * The options with what the built-in build arguments ask for: SOURCE_DATE_EPOCH (also as an ARG before the first FROM)
 * is in `sourceDateEpoch` and, as a number, what an ARG of the name gets. @throws E_BUILD_ARG, E_UNSUPPORTED
 * @see features S11
 */
export async function withBuiltinArgs(
  options: BuildOptions,
  ast: DockerfileAst,
  times: EpochTimes,
): Promise<BuildOptions> {
  const { buildArgs = {}, sourceDateEpoch: _given, ...rest } = options;
  checkHostname(buildArgs);
  checkMultiPlatform(buildArgs);
  checkMissing(buildArgs);
  const written = writtenEpoch(options, ast);
  if (written === undefined) return { ...rest, buildArgs };
  const epoch = await readEpoch(written, { options, ast, times });
  return {
    ...rest,
    buildArgs: { ...buildArgs, [epochArg]: epoch?.toString() ?? "" },
    ...(epoch === undefined ? {} : { sourceDateEpoch: epoch }),
  };
}

/** It stands in /etc/hosts as well. */
function checkHostname(buildArgs: Readonly<Record<string, string>>): void {
  const name = givenHostname({ buildArgs });
  if (name === undefined || /^[a-zA-Z0-9](?:[a-zA-Z0-9._-]{0,62}[a-zA-Z0-9])?$/.test(name)) return;
  throw badArgument("BUILDKIT_SANDBOX_HOSTNAME", name, "it is no host name of at most 64 characters");
}

function checkMultiPlatform(buildArgs: Readonly<Record<string, string>>): void {
  if (truthOf(buildArgs, "BUILDKIT_MULTI_PLATFORM") !== true) return;
  throw new TsbuildError("Cannot build: BUILDKIT_MULTI_PLATFORM=true is not supported yet", {
    code: "E_UNSUPPORTED",
    hint: "leave it out: the output is that of one platform",
  });
}

/** What they ask for would not be in the image: as with the flags that mean the same. */
function checkMissing(buildArgs: Readonly<Record<string, string>>): void {
  const [attested] = Object.entries(buildArgs).find(([name, value]) => asksForAttestation(name, value)) ?? [];
  const missing = truthOf(buildArgs, "BUILDKIT_INLINE_CACHE") === true ? "BUILDKIT_INLINE_CACHE" : attested;
  if (missing === undefined) return;
  const instead = missing === "BUILDKIT_INLINE_CACHE" ? "steps are found in the store without it" : "none are made";
  throw new TsbuildError(`Cannot build: ${missing} is not supported yet`, {
    code: "E_UNSUPPORTED",
    hint: `leave --build-arg ${missing} out: ${instead}`,
  });
}

function asksForAttestation(name: string, value: string): boolean {
  return name.startsWith("BUILDKIT_ATTEST_") && !value.split(",").includes("disabled=true");
}

function truthOf(buildArgs: Readonly<Record<string, string>>, name: string): boolean | undefined {
  const text = buildArgs[name] ?? "";
  const value = truths.get(text);
  if (value === undefined && text !== "") throw badArgument(name, text, "it is neither true nor false");
  return value;
}

function badArgument(name: string, value: string, why: string): TsbuildError {
  return new TsbuildError(`Cannot use --build-arg ${name}=${value}: ${why}`, { code: "E_BUILD_ARG" });
}
