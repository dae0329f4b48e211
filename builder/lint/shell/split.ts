import { readWord, type ShellWord } from "./word.ts";

/** One command of a shell's text, without its redirections. */
export interface ShellCommand {
  /** `NAME=value` in front of it. */
  readonly env: readonly ShellWord[];
  /** Its name and arguments; words such as `then` in front of them are left out. */
  readonly words: readonly ShellWord[];
  /** Whether it has redirections. */
  readonly redirected: boolean;
  /** The operator behind it; "" at the end. */
  readonly next: string;
}

const operator = /&&|\|\||\|&|;;|[;&|()\n]/y;
const redirection = /\d*(?:&>>?|<<<|<<-?|<>|>\||>>|[<>]&?)[ \t]*/y;
const between = /(?:[ \t\r\v\f]|\\\n)+/y;
const comment = /#[^\n]*/y;
/** What may stand in front of a command without being one. */
const reserved: ReadonlySet<string> = new Set("if then elif else while until do ! { time".split(" "));
const assignment = /^[A-Za-z_]\w*\+?=/;

/**
 * Cuts what a POSIX shell would run into commands. It does not judge: what no shell could read is cut in some way too.
 * Commands in `$(...)` are part of their word. It takes time in proportion to the text.
 */
export function splitShell(source: string): readonly ShellCommand[] {
  const splitter = new Splitter(source);
  return splitter.commands();
}

class Splitter {
  readonly #source: string;
  readonly #commands: ShellCommand[] = [];
  /** Terminators of heredocs that begin with the next line. */
  #heredocs: { readonly name: string; readonly chomp: boolean }[] = [];
  #words: ShellWord[] = [];
  #redirected = false;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  commands(): readonly ShellCommand[] {
    while (this.#at < this.#source.length) this.#step();
    this.#close("");
    return this.#commands;
  }

  #step(): void {
    if (this.#take(between) !== undefined || this.#take(comment) !== undefined) return;
    const redirected = this.#take(redirection);
    if (redirected !== undefined) return this.#redirect(redirected);
    const found = this.#take(operator);
    if (found === undefined) {
      const word = readWord(this.#source, this.#at);
      this.#at = Math.max(word.end, this.#at + 1);
      if (word.end > word.start) this.#words.push(word);
      return;
    }
    this.#close(found);
    if (found === "\n") this.#skipHeredocs();
  }

  #redirect(found: string): void {
    const kind = found.trim().replace(/^\d+/, "");
    const { text, end } = readWord(this.#source, this.#at);
    this.#at = end;
    this.#redirected = true;
    if (kind === "<<" || kind === "<<-") this.#heredocs.push({ name: text, chomp: kind === "<<-" });
  }

  #close(next: string): void {
    const start = this.#words.findIndex(({ text }) => !reserved.has(text));
    const words = start < 0 ? [] : this.#words.slice(start);
    const name = words.findIndex(({ text }) => !assignment.test(text));
    const split = name < 0 ? words.length : name;
    const redirected = this.#redirected;
    if (words.length > 0)
      this.#commands.push({ env: words.slice(0, split), words: words.slice(split), redirected, next });
    this.#words = [];
    this.#redirected = false;
  }

  #skipHeredocs(): void {
    for (const { name, chomp } of this.#heredocs) {
      for (let ended = false; !ended && this.#at < this.#source.length;) {
        const newline = this.#source.indexOf("\n", this.#at);
        const end = newline < 0 ? this.#source.length : newline;
        const line = this.#source.slice(this.#at, end);
        ended = (chomp ? line.replace(/^\t+/, "") : line) === name;
        this.#at = end + 1;
      }
    }
    this.#heredocs = [];
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const [found] = pattern.exec(this.#source) ?? [];
    if (found !== undefined) this.#at += found.length;
    return found;
  }
}
