import type { Instruction } from "../ast.ts";
import { suggest } from "../../base/suggest.ts";
import { isMixedJson, parseJsonForm } from "../words.ts";
import { argPairs, commandLine, pairs, ports, requireArgs, runLine, singleWord, volumes } from "./arguments.ts";
import { parseCopy } from "./copy.ts";
import { cutFlags } from "../flags.ts";
import { checkFlags } from "./flag-table.ts";
import { parseFrom } from "./from.ts";
import { parseHealthcheck } from "./healthcheck.ts";
import { argRange, commonFields, syntaxError, type InstructionSource } from "./source.ts";

/** Every instruction's name. */
const instructionNames: readonly string[] = [
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

/** Gives an instruction's arguments their meaning. @throws E_INSTRUCTION_UNKNOWN, E_FLAG_UNKNOWN, E_DOCKERFILE_SYNTAX */
export function parseInstruction(source: InstructionSource): Instruction {
  if (!instructionNames.includes(source.name)) throw unknownInstruction(source);
  checkFlags(source);
  checkJson(source);
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
      return { kind: "RUN", ...common, command: runLine(source) };
    case "CMD":
    case "ENTRYPOINT":
      return { kind: source.name, ...common, command: commandLine(source) };
    case "COPY":
    case "ADD":
      return parseCopy(source);
    case "SHELL":
      return { kind: "SHELL", ...common, shell: shellForm(source) };
    case "EXPOSE":
      return { kind: "EXPOSE", ...common, words: ports(source) };
    case "VOLUME":
      return { kind: "VOLUME", ...common, words: volumes(source) };
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

const jsonForms: Readonly<Record<string, RegExp>> = {
  ...Object.fromEntries(
    ["RUN", "CMD", "ENTRYPOINT", "SHELL", "COPY", "ADD", "VOLUME"].map((name) => [name, /^([^]*)$/]),
  ),
  HEALTHCHECK: /^\S+\s*([^]*)$/,
};

/** An array with something else than strings is an error, where other text would be a command for the shell. */
function checkJson(source: InstructionSource): void {
  const text = jsonForms[source.name]?.exec(source.args)?.[1] ?? "";
  if (isMixedJson(text)) throw syntaxError(source, `Cannot read ${source.name}: a JSON array here holds strings only`);
}

function shellForm(source: InstructionSource): readonly string[] {
  const json = parseJsonForm(source.args);
  if (json !== undefined && json.length > 0) return json;
  throw syntaxError(source, "Cannot read SHELL: its argument is no JSON array of strings", {
    hint: 'write SHELL ["/bin/sh", "-c"]',
  });
}

/** @throws E_ONBUILD for what cannot be a trigger; flags and places are looked at when it runs */
function trigger(source: InstructionSource): string {
  requireArgs(source);
  const inner = innerSource(source);
  const { name } = inner;
  if (["ONBUILD", "FROM", "MAINTAINER"].includes(name)) {
    throw syntaxError(source, `Cannot use ${name} as an ONBUILD trigger`, { code: "E_ONBUILD", at: inner.keyword });
  }
  if (!instructionNames.includes(name)) throw unknownInstruction(inner);
  checkJson(inner);
  if (name === "ENV" || name === "LABEL") pairs(inner);
  const text = source.line.text.replace(/^\s*ONBUILD\s*/i, "");
  return text + source.heredocs.map(({ body, name: word }) => `\n${body}${word}`).join("");
}

/** The instruction behind ONBUILD. */
function innerSource(source: InstructionSource): InstructionSource {
  const [head = "", word = ""] = /^([^\t\v\f\r ]+)[\t\v\f\r ]*/.exec(source.args) ?? [];
  const rest = source.args.slice(head.length);
  const flags = cutFlags(rest).rest;
  return {
    ...source,
    name: word.toUpperCase(),
    keyword: argRange(source, 0, word.length),
    args: rest.slice(flags),
    argsStart: source.argsStart + head.length + flags,
  };
}

function unknownInstruction(source: InstructionSource): Error {
  const near = suggest(source.name, instructionNames);
  return syntaxError(source, `Unknown instruction ${source.name}`, {
    code: "E_INSTRUCTION_UNKNOWN",
    at: source.keyword,
    hint: near === undefined ? `instructions are ${instructionNames.join(", ")}` : `did you mean \`${near}\`?`,
  });
}
