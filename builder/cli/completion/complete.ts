import type { CommandSpec, FlagSpec } from "../flags/command.ts";
import type { CommandTable } from "../flags/command-table.ts";
import { scanLine, type ScannedLine } from "./scan.ts";
import { flagValues, operandValues, type ValueKind } from "./values.ts";

/** Where names come from; every part may be slow or fail, and is asked only when it is needed. */
export interface Names {
  /** As people write them: `app`, `app:2`. */
  readonly images: () => readonly string[];
  /** Stages and ARGs of the Dockerfile that a line means. */
  readonly dockerfile: (
    file: string | undefined,
    context: string,
  ) => {
    readonly stages: readonly string[];
    readonly arguments: readonly string[];
  };
  readonly registries: () => readonly string[];
  readonly variables: () => readonly string[];
}

/** A word that may stand there, and what it is. */
export interface Candidate {
  readonly value: string;
  readonly help: string;
}

/** What may stand in the place of the last word; `files`: the shell adds what it finds. */
export interface Completion {
  readonly candidates: readonly Candidate[];
  readonly files: "none" | "file" | "directory";
}

const nothing: Completion = { candidates: [], files: "none" };

/** Completes the last of the words that follow the program's name. Values are whole words. */
export function complete(table: CommandTable, words: readonly string[], names: Names): Completion {
  const current = words.at(-1) ?? "";
  const line = scanLine(table, words.slice(0, -1));
  const found = find(table, line, { current, names });
  return { ...found, candidates: found.candidates.filter(({ value }) => value.startsWith(current)) };
}

function find(
  table: CommandTable,
  line: ScannedLine,
  { current, names }: { readonly current: string; readonly names: Names },
): Completion {
  const { command, flag, group } = line;
  const lookup = new Lookup(table, line, names);
  if (flag !== undefined && command !== undefined) return lookup.values(flagValues(command, flag), "");
  if (flag !== undefined) return { ...nothing, files: "directory" };
  if (group !== undefined) return { ...nothing, candidates: [...group.keys()].map((value) => ({ value, help: "" })) };
  const own = command ?? table.find("build");
  if (current.startsWith("-") && current !== "-" && !line.ended && own !== undefined) {
    return flagCandidates(command === undefined ? own : command, line, current, lookup);
  }
  if (line.help) return { ...nothing, candidates: commandCandidates(table) };
  if (command === undefined) return { candidates: commandCandidates(table), files: "directory" };
  if (line.operands.length >= command.max) return nothing;
  return lookup.values(operandValues(command, line.operands.length), "");
}

/** `--fl` or `--flag=va` */
function flagCandidates(command: CommandSpec, line: ScannedLine, current: string, lookup: Lookup): Completion {
  const equals = current.indexOf("=");
  if (equals < 0) return { ...nothing, candidates: flagNames(command, line) };
  const flag = command.flags.find(({ name }) => `--${name}` === current.slice(0, equals));
  return flag === undefined ? nothing : lookup.values(flagValues(command, flag), current.slice(0, equals + 1));
}

function flagNames(command: CommandSpec, line: ScannedLine): readonly Candidate[] {
  const open = ({ name, kind }: FlagSpec): boolean => kind === "list" || !line.given.has(name);
  const flags = command.flags.filter(open).map(({ name, help }) => ({ value: `--${name}`, help }));
  return [...flags, { value: "--help", help: "show the flags" }];
}

function commandCandidates({ commands }: CommandTable): readonly Candidate[] {
  return commands.map(({ name, summary }) => ({ value: name, help: summary }));
}

class Lookup {
  readonly #table: CommandTable;
  readonly #line: ScannedLine;
  readonly #names: Names;

  constructor(table: CommandTable, line: ScannedLine, names: Names) {
    this.#table = table;
    this.#line = line;
    this.#names = names;
  }

  /** `prefix`: what stands before the value in the same word. */
  values(kinds: readonly ValueKind[], prefix: string): Completion {
    const words = kinds.flatMap((kind) => this.#words(kind));
    const candidates = [...new Set(words)].map((word) => ({ value: prefix + word, help: "" }));
    const files = kinds.includes("file") ? "file" : kinds.includes("directory") ? "directory" : "none";
    return { candidates, files };
  }

  #words(kind: ValueKind): readonly string[] {
    if (typeof kind === "object") return kind.words;
    switch (kind) {
      case "image":
        return this.#names.images();
      case "stage":
        return this.#dockerfile().stages;
      case "argument":
        return this.#dockerfile().arguments.map((name) => `${name}=`);
      case "variable":
        return this.#names.variables();
      case "registry":
        return this.#names.registries();
      case "command":
        return this.#table.commands.map(({ name }) => name);
      case "file":
      case "directory":
        return [];
    }
  }

  #dockerfile(): ReturnType<Names["dockerfile"]> {
    const { given, operands } = this.#line;
    return this.#names.dockerfile(given.get("file")?.at(-1), operands[0] ?? ".");
  }
}
