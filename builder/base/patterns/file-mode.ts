import { TsbuildError } from "../../../native/errors.ts";

/** Permission bits a copy gets: the same for all (0-0o7777), or changed as the letters of chmod(1) say. */
export type FileMode = number | string;

/** One step of a symbolic mode: set or clear bits, set `x` where it makes sense, or copy one class's bits. */
type Change =
  | { readonly kind: "set" | "clear" | "search"; readonly bits: number }
  | { readonly kind: "copy"; readonly from: Who; readonly to: number; readonly how: "+" | "-" | "=" };

type Who = "u" | "g" | "o";

const sticky = 0o1000;
/** All bits but the sticky one, which only its own letter changes. */
const standard = 0o6777;
const shifts: Readonly<Record<Who, number>> = { u: 6, g: 3, o: 0 };

/** What a mode makes of the permission bits a file or directory has; both 0-0o7777. */
export type ModeChange = (mode: number, isDirectory: boolean) => number;

/**
 * Reads `--chmod`: octal up to 07777, or symbolic: `u=rwX,go=rX`, `a+x`, `g=u`, `u+s`, `+t`; no umask.
 * The result is plain JSON; compileMode() makes it do something. @throws E_CHMOD_INVALID
 */
export function parseFileMode(text: string): FileMode {
  if (/^[0-7]+$/.test(text) && Number.parseInt(text, 8) <= 0o7777) return Number.parseInt(text, 8);
  if (/^\d/.test(text)) throw invalid(text, "not an octal number from 0 to 07777");
  parseClauses(text);
  return text;
}

/** @throws E_CHMOD_INVALID for text that parseFileMode() did not accept */
export function compileMode(mode: FileMode): ModeChange {
  if (typeof mode === "number") return () => mode;
  const changes = parseClauses(mode);
  return (old, isDirectory) => changes.reduce((now, change) => apply(change, now, old, isDirectory), old);
}

function apply(change: Change, now: number, old: number, isDirectory: boolean): number {
  switch (change.kind) {
    case "set":
      return now | change.bits;
    case "clear":
      return now & ~change.bits;
    case "search":
      return (old & 0o111) !== 0 || isDirectory ? now | change.bits : now;
    case "copy": {
      const value = spread((now >> shifts[change.from]) & 7) & change.to;
      if (change.how === "+") return now | value;
      return change.how === "-" ? now & ~value : (now & ~change.to) | value;
    }
    default:
      return change satisfies never;
  }
}

/** Three bits for user, group and others. */
function spread(bits: number): number {
  return (bits << 6) | (bits << 3) | bits;
}

function parseClauses(text: string): readonly Change[] {
  const changes: Change[] = [];
  for (const clause of text.split(",")) {
    const match = /^([ugoa]*)((?:[-+=][rwxXstugo]*)+)$/.exec(clause);
    if (match === null) {
      throw invalid(text, clause === "" ? "a part between commas is empty" : `${JSON.stringify(clause)} is no change`);
    }
    addClause(changes, match[1] ?? "", match[2] ?? "");
  }
  return changes;
}

/** `who` persists over the operators of a clause. The order of what each letter does is BSD's setmode(3). */
function addClause(changes: Change[], letters: string, actions: string): void {
  let who = 0;
  if (letters.includes("a")) who |= standard;
  if (letters.includes("u")) who |= 0o4700;
  if (letters.includes("g")) who |= 0o2070;
  if (letters.includes("o")) who |= 0o0007;
  for (const action of actions.match(/[-+=][rwxXstugo]*/g) ?? []) who = addAction(changes, who & ~sticky, action);
}

function addAction(changes: Change[], start: number, action: string): number {
  const op = action.startsWith("+") ? "+" : action.startsWith("-") ? "-" : "=";
  let who = start;
  let bits = 0;
  let search = 0;
  let cleared = false;
  const flush = (): void => {
    if (bits !== 0 || (op === "=" && !cleared)) {
      if (op === "=") changes.push({ kind: "clear", bits: who === 0 ? standard : who });
      changes.push({ kind: op === "-" ? "clear" : "set", bits: who === 0 ? bits : who & bits });
    }
    if (search !== 0) changes.push({ kind: "search", bits: who === 0 ? search : who & search });
  };
  for (const letter of action.slice(1)) {
    if (letter === "u" || letter === "g" || letter === "o") {
      // Copied bits replace the class as a whole: what `=` would clear first is cleared by the copy.
      cleared = true;
      if (bits !== 0 || search !== 0) flush();
      bits = 0;
      search = 0;
      const to = who === 0 ? 0o777 : classes(who);
      changes.push({ kind: "copy", from: letter, to, how: op });
    } else if (letter === "X" && op !== "-") search = 0o111;
    else if (letter === "s" || letter === "t") {
      // Others alone have neither.
      if (who !== 0 && (who & ~0o0007) === 0) continue;
      if (letter === "t") who |= sticky;
      bits |= letter === "t" ? sticky : 0o6000;
    } else bits |= { r: 0o444, w: 0o222, x: 0o111, X: 0o111 }[letter] ?? 0;
  }
  flush();
  return who;
}

/** The permission bits of the classes that are meant, by their read bits. */
function classes(who: number): number {
  return ((who & 0o400) === 0 ? 0 : 0o700) | ((who & 0o040) === 0 ? 0 : 0o070) | ((who & 0o004) === 0 ? 0 : 0o007);
}

function invalid(text: string, why: string): TsbuildError {
  return new TsbuildError(`Cannot read --chmod=${text}: ${why}`, {
    code: "E_CHMOD_INVALID",
    hint: "write an octal number such as 0644, or letters such as u=rwX,go=rX",
  });
}
