import type { CommandSpec, FlagSpec } from "./command.ts";
import { ParsedFlags } from "./parsed-flags.ts";
import { closest } from "../base/suggest.ts";
import { UsageError } from "../base/usage-error.ts";

/** Flags and operands of one command line. */
export interface ParsedLine {
  readonly flags: ParsedFlags;
  readonly operands: readonly string[];
  /** `--help` was there: nothing else was checked. */
  readonly help: boolean;
}

const booleans: ReadonlyMap<string, "true" | "false"> = new Map([
  ...["1", "t", "true"].map((word) => [word, "true"] as const),
  ...["0", "f", "false"].map((word) => [word, "false"] as const),
]);

/** Reads the words after the command's name as docker does. @throws E_USAGE */
export function parseLine(command: CommandSpec, words: readonly string[]): ParsedLine {
  return new LineParser(command, words).parse();
}

class LineParser {
  readonly #command: CommandSpec;
  readonly #words: readonly string[];
  readonly #values = new Map<string, string[]>();
  readonly #operands: string[] = [];
  #next = 0;
  #help = false;

  constructor(command: CommandSpec, words: readonly string[]) {
    this.#command = command;
    this.#words = words;
  }

  parse(): ParsedLine {
    while (this.#next < this.#words.length) {
      const word = this.#words[this.#next++] ?? "";
      if (word === "--" || (this.#isOperand(word) && this.#command.stopAtOperand === true)) {
        this.#operands.push(...(word === "--" ? [] : [word]), ...this.#words.slice(this.#next));
        break;
      }
      if (this.#isOperand(word)) this.#operands.push(word);
      else if (word.startsWith("--")) this.#long(word);
      else this.#cluster(word);
      if (this.#help) break;
    }
    if (!this.#help) this.#checkOperands();
    return { flags: new ParsedFlags(this.#values), operands: this.#operands, help: this.#help };
  }

  #isOperand(word: string): boolean {
    return word === "-" || !word.startsWith("-");
  }

  #long(word: string): void {
    const equals = word.indexOf("=");
    const name = equals < 0 ? word.slice(2) : word.slice(2, equals);
    const value = equals < 0 ? undefined : word.slice(equals + 1);
    if (name === "help") {
      this.#help = true;
      return;
    }
    const flag = this.#command.flags.find((candidate) => candidate.name === name || candidate.alias === name);
    if (flag !== undefined) this.#set(flag, `--${name}`, value);
    else this.#refuse(`--${name}`, name, value);
  }

  /** `-it`, `-tapp`, `-t app`, `-t=app` */
  #cluster(word: string): void {
    for (let at = 1; at < word.length; at++) {
      const short = word[at] ?? "";
      const flag = this.#command.flags.find((candidate) => candidate.short === short);
      if (flag === undefined && short === "h") {
        this.#help = true;
        return;
      }
      const rest = word.slice(at + 1);
      const value = rest === "" ? undefined : rest.startsWith("=") ? rest.slice(1) : rest;
      if (flag === undefined) {
        this.#refuse(`-${short}`, short, value);
        return;
      }
      if (flag.kind === "bool" && !rest.startsWith("=")) {
        this.#set(flag, `-${short}`, undefined);
        continue;
      }
      this.#set(flag, `-${short}`, value);
      return;
    }
  }

  #set(flag: FlagSpec, shown: string, given: string | undefined): void {
    let value = given ?? (flag.kind === "bool" ? "true" : flag.bare);
    if (value === undefined) {
      value = this.#words[this.#next++];
      if (value === undefined) throw this.#usage(`Flag ${shown} needs a value (${flag.value ?? "VALUE"})`);
    }
    if (flag.kind === "bool") {
      const truth = booleans.get(value.toLowerCase());
      if (truth === undefined) throw this.#usage(`Flag ${shown} cannot be ${JSON.stringify(value)}: true or false`);
      value = truth;
    }
    if (flag.choices !== undefined && !flag.choices.includes(value)) {
      const meant = closest(value, flag.choices);
      const tail = meant === undefined ? "" : `; did you mean ${meant}?`;
      throw this.#usage(`Flag ${shown} cannot be ${JSON.stringify(value)}: ${flag.choices.join(", ")}${tail}`);
    }
    const values = this.#values.get(flag.name);
    if (values === undefined) this.#values.set(flag.name, [value]);
    else values.push(value);
  }

  #refuse(shown: string, name: string, value: string | undefined): void {
    const missing = this.#command.missing?.find((flag) => flag.name === name || flag.short === name);
    if (missing === undefined) throw this.#unknown(shown, name);
    if (missing.noop?.includes(value ?? "") === true) return;
    throw new UsageError(`Flag ${shown} of docker ${this.#command.name} is not implemented`, {
      code: "E_OPTION_NOT_IMPLEMENTED",
      hint:
        missing.instead === undefined
          ? `leave ${shown} out; flags there are:  tsbuild ${this.#command.name} --help`
          : `here it is ${missing.instead}`,
    });
  }

  #unknown(shown: string, name: string): UsageError {
    const known = this.#command.flags.map((flag) => flag.name);
    const meant = name.length === 1 ? undefined : closest(name, [...known, "help"]);
    const hint =
      meant === undefined ? `tsbuild ${this.#command.name} --help lists the flags` : `did you mean --${meant}?`;
    return new UsageError(`Unknown flag ${shown} of tsbuild ${this.#command.name}`, { code: "E_OPTION_UNKNOWN", hint });
  }

  #checkOperands(): void {
    const { min, max } = this.#command;
    const count = this.#operands.length;
    if (count >= min && count <= max) return;
    const wanted = min === max ? `${min}` : max === Infinity ? `at least ${min}` : `${min} to ${max}`;
    const lacking = count < min ? this.#command.lacking?.(new ParsedFlags(this.#values)) : undefined;
    throw this.#usage(
      `Command tsbuild ${this.#command.name} takes ${wanted} argument${/\b1$/.test(wanted) ? "" : "s"}, got ${count}`,
      lacking,
    );
  }

  #usage(message: string, lacking?: string): UsageError {
    const { name, operands } = this.#command;
    const form = `tsbuild ${name} [flags] ${operands}   (tsbuild ${name} --help)`;
    return new UsageError(message, { hint: lacking ?? form });
  }
}
