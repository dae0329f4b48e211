import { TsbuildError } from "../../native/errors.ts";
import { hostPlatform, parsePlatform } from "../../store/oci/platform.ts";
import { findContext, type ContextTable } from "../inputs/context/named.ts";
import type { DockerfileAst, KeyValue } from "../dockerfile/ast.ts";
import { DockerfileError } from "../base/error.ts";
import { splitUrl, withoutUser, type UserInfo } from "../base/split-url.ts";
import { suggest } from "../base/suggest.ts";
import { isSeconds } from "./epoch-seconds.ts";
import { epochSource } from "../convert/epoch-stage.ts";
import { gitSpec } from "../graph/git-vertex.ts";
import { evaluateGlobalArgs } from "../convert/global-args.ts";
import type { GitOp, HttpOp } from "../graph/opspec.ts";
import type { BuildOptions } from "./options.ts";

export const epochArg = "SOURCE_DATE_EPOCH";

/** Where times come from. Seconds since the epoch each; undefined: it has none. */
export interface EpochTimes {
  /** That of the context. */
  readonly context: () => number | undefined;
  readonly contexts: ContextTable;
  /** That of a URL or repository, which is asked for it. `name`: of the step that does so. */
  readonly source: (source: HttpOp | GitOp, name: string) => Promise<number | undefined>;
  readonly keepUser: (url: string, user: UserInfo) => void;
}

/** Those that are known without asking anybody. */
export function knownTimes(context: EpochTimes["context"], contexts: ContextTable): EpochTimes {
  return { context, contexts, source: async () => await Promise.resolve(undefined), keepUser: () => undefined };
}

/** A value of SOURCE_DATE_EPOCH. `arg`: of the Dockerfile that gives it; undefined: it was given. */
interface Written {
  readonly text: string;
  readonly arg: KeyValue | undefined;
}

/** What SOURCE_DATE_EPOCH says, as an argument of the build, an option, or an ARG before the first FROM. */
export function writtenEpoch(options: BuildOptions, ast: DockerfileAst): Written | undefined {
  const { buildArgs = {}, sourceDateEpoch } = options;
  const given = buildArgs[epochArg] ?? sourceDateEpoch?.toString();
  if (given !== undefined) return { text: given, arg: undefined };
  const arg = ast.globalArgs.flatMap(({ args }) => args).findLast(({ key }) => key === epochArg);
  const text = arg && evaluateGlobalArgs(ast, new Map(), new Map(Object.entries(buildArgs))).get(epochArg);
  return text === undefined ? undefined : { text, arg };
}

/**
 * Seconds since the epoch: of a number, of the word `context`, of a named context, or of a stage that adds one URL or
 * repository to nothing. undefined: it has no time. @throws E_BUILD_ARG
 */
export async function readEpoch(
  written: Written,
  { options, ast, times }: { readonly options: BuildOptions; readonly ast: DockerfileAst; readonly times: EpochTimes },
): Promise<number | undefined> {
  const { text } = written;
  if (text === "") return undefined;
  if (isSeconds(text)) return Number(text);
  if (text === "context") return times.context();
  const platform = hostPlatform();
  const found = findContext(times.contexts, text, platform);
  if (found !== undefined) {
    const source = contextSource(found.context, times);
    return source && (await times.source(source, `[internal] resolve ${epochArg} named context ${text}`));
  }
  const stage = ast.stages.find(({ name }) => name === text.toLowerCase());
  if (stage === undefined) throw wrongEpoch(written, ast);
  const { buildArgs = {} } = options;
  const source = await epochSource({
    ast,
    stage,
    buildArgs: new Map(Object.entries(buildArgs)),
    target: options.platform === undefined ? platform : parsePlatform(options.platform),
    keepUser: times.keepUser,
  });
  return await times.source(source, `[internal] resolve ${epochArg} source stage ${text}`);
}

/** What of a named context has a time: neither directories nor images. */
function contextSource(
  context: NonNullable<ReturnType<ContextTable["get"]>>,
  { keepUser }: EpochTimes,
): HttpOp | GitOp | undefined {
  if (context.kind === "git") {
    const { remote, userinfo } = context.url;
    if (userinfo !== undefined) keepUser(remote, userinfo);
    return { kind: "git", ...gitSpec(context.url) };
  }
  if (context.kind !== "url") return undefined;
  const url = withoutUser(context.url);
  const { userinfo } = splitUrl(context.url) ?? {};
  if (userinfo !== undefined) keepUser(url, userinfo);
  return { kind: "http", url, name: "context" };
}

function wrongEpoch({ text, arg }: Written, ast: DockerfileAst): TsbuildError {
  const why = "it is neither a number of seconds, nor the word context, a stage or a named context";
  const near = suggest(text, ["context", ...ast.stages.flatMap(({ name }) => name ?? [])]);
  const hint = near === undefined ? "write seconds: git log -1 --format=%ct" : `did you mean \`${near}\`?`;
  if (arg === undefined)
    return new TsbuildError(`Cannot use ${epochArg}=${text} of the environment or --build-arg: ${why}`, {
      code: "E_BUILD_ARG",
      hint,
    });
  const { location } = arg;
  return new DockerfileError(`Cannot use ${epochArg}=${text}: ${why}`, {
    code: "E_BUILD_ARG",
    location,
    source: ast.text,
    hint,
  });
}
