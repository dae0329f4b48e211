import { errorMessage } from "../../native/errors.ts";
import type { Flag, Instruction } from "../dockerfile/ast.ts";
import { DockerfileError } from "../base/error.ts";
import { expandWord } from "../dockerfile/expand.ts";
import type { SourceLocation } from "../base/location.ts";
import { mountFrom, withMountFrom } from "../dockerfile/mount-flag.ts";
import { envMap } from "../base/env.ts";
import { addArgEnv, addConfigEnv, type StageState } from "./stage-state.ts";

/** What variables are looked up in and how errors are shown. */
export interface FromScope {
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly globalArgs: ReadonlyMap<string, string>;
  readonly escape: "\\" | "`";
  /** The Dockerfile's text. */
  readonly source: string;
}

/**
 * The instructions with the variables of `COPY --from` and of `from` in `RUN --mount` replaced: by the stage's ARG and
 * ENV as they are at that line, else by the ARGs before the first FROM. Known before the stage is dispatched, as the
 * sources are made first. BuildKit has no variables there. @throws E_COPY_FROM_VARIABLE
 */
export function expandFrom<S extends { readonly instruction: Instruction }>(
  steps: readonly S[],
  state: StageState,
  scope: FromScope,
): readonly S[] {
  if (!steps.some(({ instruction }) => hasVariable(instruction))) return steps;
  // Only the variables of the copy are written.
  const at: StageState = { ...state, config: { ...state.config } };
  return steps.map((step) => {
    const { instruction } = step;
    declare(at, instruction, scope);
    return hasVariable(instruction) ? { ...step, instruction: replaced(instruction, at, scope) } : step;
  });
}

function hasVariable(instruction: Instruction): boolean {
  if (instruction.kind === "RUN") return instruction.flags.some(isVariableMount);
  return (instruction.kind === "COPY" || instruction.kind === "ADD") && instruction.from?.includes("$") === true;
}

function isVariableMount({ name, value }: Flag): boolean {
  return name === "mount" && mountFrom(value)?.includes("$") === true;
}

function replaced(instruction: Instruction, state: StageState, scope: FromScope): Instruction {
  const { flags } = instruction;
  if (instruction.kind === "COPY" || instruction.kind === "ADD") {
    const location = flags.find(({ name }) => name === "from")?.location ?? instruction.location;
    return { ...instruction, from: expanded({ act: "copy", from: instruction.from ?? "", location }, state, scope) };
  }
  const replace = (flag: Flag): Flag => {
    if (!isVariableMount(flag)) return flag;
    const { value, location } = flag;
    const from = expanded({ act: "mount", from: mountFrom(value) ?? "", location }, state, scope);
    return { ...flag, value: withMountFrom(value, from) };
  };
  return { ...instruction, flags: flags.map(replace) };
}

/** Follows ARG and ENV; what is wrong with them is told when they are dispatched. */
function declare(state: StageState, instruction: Instruction, scope: FromScope): void {
  const { buildArgs, globalArgs, escape } = scope;
  const value = (raw: string, env: ReadonlyMap<string, string>): string => {
    try {
      return expandWord(raw, env, { escape }).text;
    } catch {
      return "";
    }
  };
  if (instruction.kind === "ENV") {
    const env = envMap(state.env);
    addConfigEnv(
      state,
      instruction.pairs.map((pair) => ({ key: value(pair.key, env), value: value(pair.value, env) })),
    );
  }
  if (instruction.kind !== "ARG") return;
  for (const { key, value: raw } of instruction.args) {
    const text = buildArgs.get(key) ?? (raw === undefined ? globalArgs.get(key) : value(raw, envMap(state.env)));
    if (text !== undefined) addArgEnv(state, key, text);
  }
}

function expanded(
  { act, from, location }: { readonly act: string; readonly from: string; readonly location: SourceLocation },
  state: StageState,
  scope: FromScope,
): string {
  const fail = (why: string, hint: string): DockerfileError =>
    new DockerfileError(`Cannot ${act} from ${JSON.stringify(from)}: ${why}`, {
      code: "E_COPY_FROM_VARIABLE",
      location,
      source: scope.source,
      hint,
    });
  try {
    const values = new Map([...scope.globalArgs, ...envMap(state.env)]);
    const { text } = expandWord(from, values, { escape: scope.escape });
    if (text !== "") return text;
  } catch (error) {
    throw fail(errorMessage(error), "variables are written $NAME or ${NAME}");
  }
  throw fail("it is empty when its variables are replaced", "give the ARG a default, or --build-arg");
}
