import { isatty } from "node:tty";
import { Interrupted } from "../base/interrupted.ts";
import type { Output } from "./output.ts";
import { UsageError } from "../base/usage-error.ts";

/** Asks on the terminal; questions go to standard error. While it is held the terminal is in raw mode. */
export class Prompt implements Disposable {
  readonly #out: Output;
  /** Keys that were typed ahead. */
  #keys: string[] = [];

  /** @throws E_NOT_A_TERMINAL */
  constructor(out: Output) {
    if (!isatty(0)) {
      throw new UsageError("Cannot ask for user and password: standard input is no terminal", {
        code: "E_NOT_A_TERMINAL",
        hint: "tsbuild login -u USER --password-stdin REGISTRY < token",
      });
    }
    this.#out = out;
    process.stdin.setRawMode(true);
  }

  /** The line that is typed; `secret` shows nothing of it. @throws Interrupted */
  async ask(question: string, secret = false): Promise<string> {
    return await this.#line(`${question}: `, secret);
  }

  /** Whether the answer is yes; the end of input, and anything else, is no. @throws Interrupted */
  async confirm(question: string): Promise<boolean> {
    return /^\s*y(?:es)?\s*$/i.test(await this.#line(`${question} [y/N] `, false));
  }

  async #line(question: string, secret: boolean): Promise<string> {
    const typed: string[] = [];
    this.#out.notice(question);
    for (;;) {
      const key = this.#keys.shift();
      if (key === undefined) {
        if (!(await this.#read())) break;
        continue;
      }
      if (key === "\u0003") throw this.#end(new Interrupted("SIGINT"));
      if (key === "\r" || key === "\n" || key === "\u0004") break;
      const shown = edit(typed, key);
      if (!secret) this.#out.control(shown);
    }
    this.#out.notice("\n");
    return typed.join("");
  }

  [Symbol.dispose](): void {
    process.stdin.setRawMode(false);
    process.stdin.pause();
  }

  /** More keys; false at the end of input. */
  async #read(): Promise<boolean> {
    for await (const chunk of process.stdin.iterator({ destroyOnReturn: false })) {
      this.#keys.push(...String(chunk));
      return true;
    }
    return false;
  }

  #end(reason: Interrupted): Interrupted {
    this.#out.notice("\n");
    return reason;
  }
}

const backspace = "\b \b";

/** What a key does to the line, and what is to be shown for it: a terminal in raw mode edits nothing itself. */
function edit(typed: string[], key: string): string {
  if (key === "\u007f" || key === "\b") return typed.pop() === undefined ? "" : backspace;
  if (key === "\u0015") return backspace.repeat(typed.splice(0).length);
  if (key < " ") return "";
  typed.push(key);
  return key;
}
