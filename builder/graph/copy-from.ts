import { errorMessage } from "../../native/errors.ts";
import type { Instruction } from "../dockerfile/ast.ts";
import { DockerfileError } from "../dockerfile/error.ts";
import { expandWord } from "../dockerfile/expand.ts";
import { envMap } from "./env.ts";
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
 * The instructions with the variables of `--from` replaced: by the stage's ARG and ENV as they are at that line, else by
 * the ARGs before the first FROM. Known before the stage is dispatched, as the sources are made first. BuildKit has no
 * variables there. @throws E_COPY_FROM_VARIABLE @see features W12
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
    if (!hasVariable(instruction)) return step;
    return { ...step, instruction: { ...instruction, from: expanded(instruction, at, scope) } };
  });
}

type WithFrom = Extract<Instruction, { readonly kind: "COPY" | "ADD" }>;

function hasVariable(instruction: Instruction): instruction is WithFrom {
  return (instruction.kind === "COPY" || instruction.kind === "ADD") && instruction.from?.includes("$") === true;
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
    for (const pair of instruction.pairs) addConfigEnv(state, value(pair.key, env), value(pair.value, env));
  }
  if (instruction.kind !== "ARG") return;
  for (const { key, value: raw } of instruction.args) {
    const text = buildArgs.get(key) ?? (raw === undefined ? globalArgs.get(key) : value(raw, envMap(state.env)));
    if (text !== undefined) addArgEnv(state, key, text);
  }
}

function expanded(instruction: WithFrom, state: StageState, scope: FromScope): string {
  const { from = "" } = instruction;
  const fail = (why: string, hint: string): DockerfileError =>
    new DockerfileError(`Cannot copy from ${JSON.stringify(from)}: ${why}`, {
      code: "E_COPY_FROM_VARIABLE",
      location: instruction.flags.find(({ name }) => name === "from")?.location ?? instruction.location,
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
