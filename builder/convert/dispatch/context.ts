import { errorMessage, TsbuildError } from "../../../native/errors.ts";
import type { DeviceAccess } from "../../inputs/cdi/access.ts";
import type { Instruction, Word } from "../../dockerfile/ast.ts";
import { DockerfileError } from "../../base/error.ts";
import { expandWord, expandWords } from "../../dockerfile/expand.ts";
import type { UserInfo } from "../../base/split-url.ts";
import type { SourceLocation } from "../../base/location.ts";
import { envMap } from "../../base/env.ts";
import type { Entitlement } from "../../graph/entitlement.ts";
import type { UnsetFacts } from "../observer.ts";
import type { RunLimits } from "../../graph/opspec.ts";
import type { StageState } from "../stage-state.ts";
import type { Vertex } from "../../graph/vertex.ts";

/** Keeps user and password of a URL for who fetches it; the URL that goes on has none. */
export type KeepUser = (url: string, user: UserInfo) => void;

/** What dispatch functions know beside the stage's state; the same for all stages. */
export interface DispatchContext {
  readonly file: string;
  readonly source: string;
  readonly escape: "\\" | "`";
  readonly buildArgs: ReadonlyMap<string, string>;
  /** ARGs before the first FROM and the predefined ones, evaluated. */
  readonly globalArgs: ReadonlyMap<string, string>;
  readonly context: Vertex;
  readonly network: "default" | "none" | "host";
  readonly hostname: string | undefined;
  readonly allow: ReadonlySet<Entitlement>;
  readonly devices: Pick<DeviceAccess, "resolve">;
  readonly limits: RunLimits;
  /** Prefix of the ids of cache mounts: BUILDKIT_CACHE_MOUNT_NS. */
  readonly cacheNamespace: string;
  readonly epoch: number | undefined;
  /** The file system named by `COPY --from=` or `RUN --mount=from=`. @throws DockerfileError */
  readonly stageVertex: (from: string, instruction: Instruction) => Vertex;
  readonly keepUser: KeepUser;
  readonly usedArgs: Set<string>;
  /** Told of every variable that has no value where it is used. */
  readonly onUnset: (facts: UnsetFacts) => void;
}

/** What the instruction being dispatched is beside its text. */
export interface DispatchInput<I extends Instruction> {
  readonly state: StageState;
  readonly instruction: I;
  readonly context: DispatchContext;
  readonly onbuild: boolean;
}

/** A DockerfileError at the place. */
export function failAt(
  context: DispatchContext,
  location: SourceLocation,
  options: {
    readonly code: string;
    readonly message: string;
    readonly hint?: string;
    readonly label?: string;
    readonly notes?: readonly string[];
  },
): DockerfileError {
  const { code, message, hint, label, notes = [] } = options;
  return new DockerfileError(message, {
    code,
    location,
    notes,
    source: context.source,
    ...(hint === undefined ? {} : { hint }),
    ...(label === undefined ? {} : { label }),
  });
}

/** Runs it with its errors shown at a place of the Dockerfile. */
export function atPlace<T>(
  { context }: { readonly context: DispatchContext },
  location: SourceLocation,
  act: () => T,
): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof TsbuildError) || error instanceof DockerfileError) throw error;
    const { code, message, hint, notes } = error;
    throw failAt(context, location, { code, message, notes, ...(hint === undefined ? {} : { hint }) });
  }
}

type Expanding = Pick<DispatchInput<Instruction>, "state" | "instruction" | "context">;

/** The word with its variables and quotes resolved in the stage's environment. @throws E_EXPAND */
export function expandIn(input: Expanding, raw: string, location: SourceLocation): string {
  const { state, context } = input;
  return orCannotExpand(context, { raw, location }, () => {
    const { text, unmatched } = expandWord(raw, envMap(state.env), { escape: context.escape });
    reportUnset(input, unmatched);
    return text;
  });
}

/** As expandIn(), for a path. @throws E_EXPAND, E_DOCKERFILE_SYNTAX */
export function expandPathIn(input: Parameters<typeof expandIn>[0], { raw, location }: Word): string {
  const path = expandIn(input, raw, location);
  if (!path.includes("\0")) return path;
  throw failAt(input.context, location, {
    code: "E_DOCKERFILE_SYNTAX",
    message: `Cannot use the path ${JSON.stringify(path)}: it has a NUL character`,
  });
}

/** As expandIn(), cut at white space outside quotes, also where a variable's value has it. @throws E_EXPAND */
export function expandWordsIn(
  { state, context }: { readonly state: StageState; readonly context: DispatchContext },
  word: Word,
): readonly string[] {
  return orCannotExpand(context, word, () => expandWords(word.raw, envMap(state.env), { escape: context.escape }));
}

function orCannotExpand<T>(context: DispatchContext, { raw, location }: Word, expand: () => T): T {
  try {
    return expand();
  } catch (error) {
    if (error instanceof DockerfileError) throw error;
    throw failAt(context, location, { code: "E_EXPAND", message: `Cannot expand ${raw}: ${errorMessage(error)}` });
  }
}

/** Among more names nobody looks for the one that was meant. */
const mostKnown = 1000;

/** Tells of variables without a value, but for those that an ARG declared. */
export function reportUnset({ state, instruction, context }: Expanding, unmatched: readonly string[]): void {
  if (unmatched.length === 0) return;
  const known = envMap(state.env).keys().take(mostKnown).toArray();
  for (const name of unmatched)
    if (!state.args.some(({ key }) => key === name)) context.onUnset({ state, instruction, name, known });
}

/** For what the language has and this version has not: names it, with its line. */
export function refuse(context: DispatchContext, location: SourceLocation, what: string): DockerfileError {
  return failAt(context, location, {
    code: "E_UNSUPPORTED",
    message: `Cannot build: ${what} is not supported yet`,
  });
}
