import type { Instruction } from "../ast.ts";
import { suggest } from "../suggest.ts";
import { isMixedJson, parseJsonForm } from "../words.ts";
import { argPairs, commandLine, pairs, requireArgs, singleWord, wordList } from "./arguments.ts";
import { parseCopy } from "./copy.ts";
import { checkFlags } from "./flag-table.ts";
import { parseFrom } from "./from.ts";
import { parseHealthcheck } from "./healthcheck.ts";
import { commonFields, syntaxError, type InstructionSource } from "./source.ts";

/** Every instruction's name. */
export const instructionNames: readonly string[] = [
  "ADD",
  "ARG",
  "CMD",
  "COPY",
  "ENTRYPOINT",
  "ENV",
  "EXPOSE",
  "FROM",
  "HEALTHCHECK",
  "LABEL",
  "MAINTAINER",
  "ONBUILD",
  "RUN",
  "SHELL",
  "STOPSIGNAL",
  "USER",
  "VOLUME",
  "WORKDIR",
];

const jsonInstructions = new Set(["RUN", "CMD", "ENTRYPOINT", "SHELL", "COPY", "ADD", "VOLUME"]);

/** Gives an instruction's arguments their meaning. @throws E_INSTRUCTION_UNKNOWN, E_FLAG_UNKNOWN, E_DOCKERFILE_SYNTAX */
export function parseInstruction(source: InstructionSource): Instruction {
  if (!instructionNames.includes(source.name)) throw unknownInstruction(source);
  checkFlags(source);
  if (jsonInstructions.has(source.name) && isMixedJson(source.args)) {
    throw syntaxError(source, `Cannot read ${source.name}: a JSON array here holds strings only`);
  }
  const common = commonFields(source);
  switch (source.name) {
    case "FROM":
      return parseFrom(source);
    case "ARG":
      return { kind: "ARG", ...common, args: argPairs(source) };
    case "ENV":
    case "LABEL":
      return { kind: source.name, ...common, ...pairs(source) };
    case "RUN":
      requireArgs(source);
      return { kind: "RUN", ...common, command: commandLine(source) };
    case "CMD":
    case "ENTRYPOINT":
      return { kind: source.name, ...common, command: emptyExec(source) };
    case "COPY":
    case "ADD":
      return parseCopy(source);
    case "SHELL":
      return { kind: "SHELL", ...common, shell: shellForm(source) };
    case "EXPOSE":
    case "VOLUME":
      requireArgs(source);
      return { kind: source.name, ...common, words: someWords(source) };
    case "USER":
    case "WORKDIR":
    case "STOPSIGNAL":
      return { kind: source.name, ...common, word: singleWord(source) };
    case "HEALTHCHECK":
      requireArgs(source);
      return parseHealthcheck(source);
    case "MAINTAINER":
      return { kind: "MAINTAINER", ...common, name: singleWord(source).raw };
    default:
      return { kind: "ONBUILD", ...common, trigger: trigger(source) };
  }
}

/** CMD and ENTRYPOINT without arguments are the empty list. */
function emptyExec(source: InstructionSource): ReturnType<typeof commandLine> {
  return source.args === "" ? { form: "exec", args: [] } : commandLine(source);
}

function someWords(source: InstructionSource): ReturnType<typeof wordList> {
  const words = wordList(source);
  if (words.length > 0) return words;
  throw syntaxError(source, `Cannot read ${source.name}: it needs at least one argument`);
}

function shellForm(source: InstructionSource): readonly string[] {
  const json = parseJsonForm(source.args);
  if (json !== undefined && json.length > 0) return json;
  throw syntaxError(source, "Cannot read SHELL: its argument is no JSON array of strings", {
    hint: 'write SHELL ["/bin/sh", "-c"]',
  });
}

/** @throws E_ONBUILD for what cannot be a trigger */
function trigger(source: InstructionSource): string {
  requireArgs(source);
  const name = (/^\S+/.exec(source.args)?.[0] ?? "").toUpperCase();
  if (["ONBUILD", "FROM", "MAINTAINER"].includes(name)) {
    throw syntaxError(source, `Cannot use ${name} as an ONBUILD trigger`, { code: "E_ONBUILD" });
  }
  if (!instructionNames.includes(name)) throw unknownInstruction({ ...source, name });
  const text = source.line.text.replace(/^\s*ONBUILD\s*/i, "");
  return text + source.heredocs.map(({ body, name: word }) => `\n${body}${word}`).join("");
}

function unknownInstruction(source: InstructionSource): Error {
  const near = suggest(source.name, instructionNames);
  return syntaxError(source, `Unknown instruction ${source.name}`, {
    code: "E_INSTRUCTION_UNKNOWN",
    at: source.keyword,
    hint: near === undefined ? `instructions are ${instructionNames.join(", ")}` : `did you mean \`${near}\`?`,
  });
}
