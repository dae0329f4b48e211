import type { CommandSpec, FlagSpec } from "../flags/command.ts";
import type { CommandTable } from "../flags/command-table.ts";
import { commonFlags } from "../flags/shared-flags.ts";

/** What stands before the word that is being completed, as far as it can be understood. */
export interface ScannedLine {
  /** undefined: it may still be the command's name. */
  readonly command: CommandSpec | undefined;
  /** A group of docker's (`image`) whose command is to come. */
  readonly group: ReadonlyMap<string, string> | undefined;
  /** `help` was there: the name of a command is to come. */
  readonly help: boolean;
  /** The word is the value of this flag. */
  readonly flag: FlagSpec | undefined;
  readonly operands: readonly string[];
  /** No flags of ours may come any more. */
  readonly ended: boolean;
  /** Values of flags by name. */
  readonly given: ReadonlyMap<string, readonly string[]>;
}

/** Reads the words before the last one. Never throws: a line that is being typed need not be right yet. */
export function scanLine(table: CommandTable, words: readonly string[]): ScannedLine {
  const scanner = new Scanner(table);
  for (const word of words) scanner.add(word);
  return scanner;
}

class Scanner implements ScannedLine {
  readonly #table: CommandTable;
  command: CommandSpec | undefined;
  group: ReadonlyMap<string, string> | undefined;
  help = false;
  flag: FlagSpec | undefined;
  ended = false;
  readonly operands: string[] = [];
  readonly given: Map<string, string[]> = new Map();

  constructor(table: CommandTable) {
    this.#table = table;
  }

  add(word: string): void {
    if (this.flag !== undefined) {
      this.#note(this.flag, word);
      this.flag = undefined;
    } else if (this.ended) this.operands.push(word);
    else if (word === "--") this.ended = true;
    else if (word.startsWith("--")) this.#long(word);
    else if (word.startsWith("-") && word !== "-") this.#cluster(word);
    else if (this.command === undefined) this.#name(word);
    else {
      this.operands.push(word);
      this.ended = this.command.stopAtOperand === true;
    }
  }

  #name(word: string): void {
    if (this.group !== undefined) {
      const name = this.group.get(word);
      this.group = undefined;
      this.command = name === undefined ? undefined : this.#table.named(name);
      return;
    }
    if (this.help || word !== "help") this.command = this.#table.find(word);
    else this.help = true;
    if (this.command !== undefined || this.help) return;
    this.group = this.#table.groups.get(word);
    if (this.group !== undefined) return;
    // `tsbuild .` is `tsbuild build .`
    this.command = this.#table.named("build");
    this.operands.push(word);
  }

  #flags(): readonly FlagSpec[] {
    return this.command?.flags ?? commonFlags;
  }

  #long(word: string): void {
    const [name = "", ...value] = word.slice(2).split("=");
    let flag = this.#flags().find((one) => one.name === name);
    if (flag === undefined && this.command === undefined) {
      // Flags of build without its name.
      this.command = this.#table.named("build");
      flag = this.command.flags.find((one) => one.name === name);
    }
    if (flag === undefined) return;
    if (value.length > 0) this.#note(flag, value.join("="));
    else if (takesNextWord(flag)) this.flag = flag;
    else this.#note(flag, "true");
  }

  #cluster(word: string): void {
    if (this.command === undefined && !commonFlags.some(({ short }) => short === word[1])) {
      this.command = this.#table.named("build");
    }
    for (let at = 1; at < word.length; at++) {
      const flag = this.#flags().find(({ short }) => short === word[at]);
      if (flag === undefined) return;
      if (flag.kind === "bool") {
        this.#note(flag, "true");
        continue;
      }
      const rest = word.slice(at + 1);
      if (rest !== "") this.#note(flag, rest.replace(/^=/, ""));
      else if (takesNextWord(flag)) this.flag = flag;
      return;
    }
  }

  #note(flag: FlagSpec, value: string): void {
    const values = this.given.get(flag.name);
    if (values === undefined) this.given.set(flag.name, [value]);
    else values.push(value);
  }
}

function takesNextWord(flag: FlagSpec): boolean {
  return flag.kind !== "bool" && flag.bare === undefined;
}
