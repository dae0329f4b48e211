/** Tests one character. */
export type Test = (char: string) => boolean;

/**
 * A part of a path pattern: a character, a run of characters as long as it may be, whole directories with their slashes
 * or none, or a place between two characters (undefined: the start or end).
 */
export type Token =
  | { readonly kind: "char"; readonly char: string }
  | { readonly kind: "one" | "run"; readonly test: Test }
  | { readonly kind: "directories" }
  | { readonly kind: "place"; readonly holds: (before: string | undefined, after: string | undefined) => boolean };

/** As Go's `.`. */
export const notNewline: Test = (char) => char !== "\n";

/** A test for whole paths. The time for one is at most the product of its length and its own, never more than that. */
export function compileTokens(tokens: readonly Token[]): (path: string) => boolean {
  const few = tokens.filter((token, at) => !repeats(token, tokens[at - 1]));
  const least = few.filter(({ kind }) => kind === "char" || kind === "one").length;
  const start = literalStart(few);
  const end = literalStart(few.toReversed());
  const last = [...end].toReversed().join("");
  return (path) => path.length >= least && path.startsWith(start) && path.endsWith(last) && run(few, path);
}

/** Of two that are the same, the second takes nothing that the first does not. */
function repeats(token: Token, before: Token | undefined): boolean {
  if (token.kind === "directories") return before?.kind === "directories";
  return token.kind === "run" && before?.kind === "run" && before.test === token.test;
}

/** How every match begins: most paths are told apart by that. */
function literalStart(tokens: readonly Token[]): string {
  let text = "";
  for (const token of tokens) {
    if (token.kind !== "char") break;
    text += token.char;
  }
  return text;
}

/** All ways through the tokens are followed at once. */
function run(tokens: readonly Token[], path: string): boolean {
  const chars = [...path];
  let now = new States(tokens.length);
  let next = new States(tokens.length);
  now.enter(0, tokens, undefined, chars[0]);
  for (const [at, char] of chars.entries()) {
    next.clear();
    for (let index = 0; index < now.count; index++) {
      const state = now.list[index] ?? 0;
      const token = tokens[state];
      if (token === undefined) continue;
      const after = chars[at + 1];
      if (token.kind === "char" ? token.char === char : token.kind === "one" && token.test(char)) {
        next.enter(state + 1, tokens, char, after);
      } else if (token.kind === "run" && token.test(char)) next.enter(state, tokens, char, after);
      else if (token.kind === "directories" && notNewline(char)) {
        next.stay(state);
        if (char === "/") next.enter(state + 1, tokens, char, after);
      }
    }
    if (next.count === 0) return false;
    [now, next] = [next, now];
  }
  return now.has(tokens.length);
}

/** Places in a pattern; what may be nothing is stepped over when it is come to. */
class States {
  readonly list: Int32Array;
  count = 0;
  readonly #listed: Uint8Array;
  readonly #entered: Uint8Array;
  /** Entered ones, to be forgotten again. */
  readonly #trail: number[] = [];

  constructor(size: number) {
    this.list = new Int32Array(size + 1);
    this.#listed = new Uint8Array(size + 1);
    this.#entered = new Uint8Array(size + 1);
  }

  has(state: number): boolean {
    return this.#listed[state] === 1;
  }

  clear(): void {
    for (let index = 0; index < this.count; index++) this.#listed[this.list[index] ?? 0] = 0;
    for (const state of this.#trail) this.#entered[state] = 0;
    this.#trail.length = 0;
    this.count = 0;
  }

  /** Within directories: only a slash leads on. */
  stay(state: number): void {
    if (this.#listed[state] === 1) return;
    this.#listed[state] = 1;
    this.list[this.count++] = state;
  }

  enter(start: number, tokens: readonly Token[], before: string | undefined, after: string | undefined): void {
    for (let at = start; this.#entered[at] !== 1; at++) {
      const token = tokens[at];
      if (token?.kind === "place") {
        if (token.holds(before, after)) continue;
        return;
      }
      this.#entered[at] = 1;
      this.#trail.push(at);
      this.stay(at);
      if (token === undefined || token.kind === "char" || token.kind === "one") return;
    }
  }
}
