import { posix } from "node:path";
import type { RunInstruction } from "../../dockerfile/ast.ts";
import type { SourceLocation } from "../../base/location.ts";
import type { StepCheck } from "../rule.ts";
import { scriptOf, type Script } from "./script.ts";
import { splitShell, type ShellCommand } from "./split.ts";
import type { ShellWord } from "./word.ts";

/** A command of a RUN. */
export interface RunCommand {
  /** `NAME=value` before its name, also by `env`. */
  readonly env: readonly string[];
  /** `sudo`, `env` and the like before its name, with their options. */
  readonly front: readonly string[];
  /** Without its directory; "" for assignments alone. */
  readonly name: string;
  readonly args: readonly string[];
  readonly redirected: boolean;
  /** The operator behind it. */
  readonly next: string;
  /** The command up to so many of its arguments in the Dockerfile; without a number all of it. */
  readonly locate: (args?: number) => SourceLocation;
}

const wrappers: ReadonlySet<string> = new Set("sudo env exec command nohup eatmydata".split(" "));
/** Options of sudo and env that take the next word. */
const withValue = /^-[ugUCph]$/;
const assignment = /^[A-Za-z_]\w*=/;
const known = new WeakMap<RunInstruction, readonly RunCommand[]>();

/** The commands of a RUN in shell form; none where no shell that is known reads them. Each RUN is read once. */
export function runCommands({ instruction, state, ast }: StepCheck<RunInstruction>): readonly RunCommand[] {
  const before = known.get(instruction);
  if (before !== undefined) return before;
  const script = scriptOf(ast, instruction, state.config.Shell);
  const found = script === undefined ? [] : splitShell(script.text).map((command) => toRunCommand(script, command));
  known.set(instruction, found);
  return found;
}

function toRunCommand(script: Script, { env, words, redirected, next }: ShellCommand): RunCommand {
  const start = nameIndex(words);
  const texts = words.map(({ text }) => text);
  const front = texts.slice(0, start);
  const first = words[0] ?? env[0];
  return {
    env: [...env.map(({ text }) => text), ...front.filter((text) => assignment.test(text))],
    front,
    name: posix.basename(texts[start] ?? ""),
    args: texts.slice(start + 1),
    redirected,
    next,
    locate: (args = words.length) => {
      const last = words[Math.min(start + args, words.length - 1)] ?? env.at(-1);
      return script.locate(first?.start ?? 0, last?.end ?? 0);
    },
  };
}

/** Of the word that names the program. */
function nameIndex(words: readonly ShellWord[]): number {
  let at = 0;
  for (; wrappers.has(words[at]?.text ?? "");) {
    at++;
    for (let text = words[at]?.text; text !== undefined && isOption(text); text = words[at]?.text)
      at += withValue.test(text) ? 2 : 1;
  }
  return at;
}

function isOption(text: string): boolean {
  return text.startsWith("-") || assignment.test(text);
}
