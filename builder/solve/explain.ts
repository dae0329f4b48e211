import type { MissCause } from "../graph/causes.ts";

/** Causes that are listed; the rest is counted. */
const shown = 8;
const filePrefix = "file ";
const mountPrefix = "--mount ";

/** What a step is made of, at some build: its text and its inputs by name. */
export interface StepFacts {
  readonly text: string;
  readonly inputs: Readonly<Record<string, string>>;
}

/**
 * What differs between a step of the last build and the same step now, without the inputs that `inherited` names: those
 * are other steps' results. Empty when nothing else does.
 */
export function explainChange(
  before: StepFacts,
  now: StepFacts,
  inherited: (name: string, value: string | undefined) => boolean,
): readonly MissCause[] {
  const names = [...new Set([...Object.keys(before.inputs), ...Object.keys(now.inputs)])].toSorted();
  const changed = names.filter((name) => before.inputs[name] !== now.inputs[name]);
  const files = changed.filter((name) => name.startsWith(filePrefix));
  const others = changed.filter(
    (name) => !name.startsWith(filePrefix) && !inherited(name, now.inputs[name] ?? before.inputs[name]),
  );
  const textual = before.text !== now.text && others.some((name) => isTextual(name));
  const rest = textual ? others.filter((name) => !isTextual(name)) : others;
  const listed = !listsFiles(before) && listsFiles(now) ? [] : fileCauses(files, before.inputs, now.inputs);
  const hides = listed.some(
    (cause) => cause.kind === "file" && (cause.change === "added" || cause.change === "removed"),
  );
  const causes = [
    ...(textual ? [{ kind: "text", before: before.text, now: now.text } as const] : []),
    ...rest
      .filter((name) => name !== "ignore file" || hides)
      .map((name) => describe(name, before.inputs[name], now.inputs[name])),
    // Other sources are other files: they say nothing beside the text.
    ...(textual ? [] : listed),
  ];
  const more = causes.length - shown;
  return more > 0 ? [...causes.slice(0, shown), { kind: "more", count: more }] : causes;
}

/** A step that was found by its definition alone has not looked into the stage it copies from. */
function listsFiles(facts: StepFacts): boolean {
  return Object.keys(facts.inputs).some((name) => name.startsWith(filePrefix));
}

/** Inputs that are the instruction's own words. */
function isTextual(name: string): boolean {
  return name === "command" || name === "sources" || name === "dest" || name === "path";
}

function describe(name: string, before: string | undefined, now: string | undefined): MissCause {
  const variable = /^(ARG|ENV) (.*)$/s.exec(name);
  if (variable !== null) {
    return { kind: "variable", type: variable[1] === "ARG" ? "ARG" : "ENV", name: variable[2] ?? "", before, now };
  }
  if (name === "image")
    return { kind: "image", name: (now ?? "").split("@")[0] ?? "", before: before ?? "", now: now ?? "" };
  if (name === "url") return sourceCause("changed", before, now);
  if (name === "git") return sourceCause("moved", before, now);
  if (name === "ignore file") return { kind: "ignore", name: (now ?? before ?? "").split(" ")[0] ?? "" };
  if (name.startsWith(mountPrefix) && before !== undefined && now !== undefined)
    return { kind: "input", name, ...differingWords(before, now) };
  return { kind: "input", name, before, now };
}

/** What only one of two lists with commas has. */
function differingWords(before: string, now: string): { readonly before: string; readonly now: string } {
  const [was, is] = [before.split(","), now.split(",")];
  return {
    before: was.filter((word) => !is.includes(word)).join(","),
    now: is.filter((word) => !was.includes(word)).join(","),
  };
}

/** The entry of a source is `NAME DIGEST`. */
function sourceCause(change: "changed" | "moved", before: string | undefined, now: string | undefined): MissCause {
  const [was = "", is = ""] = [before, now];
  const end = is.lastIndexOf(" ");
  return {
    kind: "source",
    change,
    name: is.slice(0, end),
    before: was.slice(was.lastIndexOf(" ") + 1),
    now: is.slice(end + 1),
  };
}

/** A file's entry is `MODE CONTENT`, a directory's `dMODE`. */
function fileCauses(
  changed: readonly string[],
  before: StepFacts["inputs"],
  now: StepFacts["inputs"],
): readonly MissCause[] {
  const removed = changed.filter((name) => now[name] === undefined);
  const byContent = new Map(removed.map((name) => [contentOf(before[name] ?? ""), name]));
  const renamed = new Set<string>();
  const causes: MissCause[] = [];
  for (const name of changed) {
    const [was, is] = [before[name], now[name]];
    if (is === undefined) continue;
    const path = name.slice(filePrefix.length);
    const old = was === undefined ? byContent.get(contentOf(is)) : undefined;
    if (old !== undefined && !renamed.has(old) && !is.startsWith("d")) {
      renamed.add(old);
      causes.push({ kind: "file", change: "renamed", path, before: old.slice(filePrefix.length) });
    } else if (was === undefined) causes.push({ kind: "file", change: "added", path });
    else causes.push(changedFile(path, was, is));
  }
  for (const name of removed) {
    if (!renamed.has(name)) causes.push({ kind: "file", change: "removed", path: name.slice(filePrefix.length) });
  }
  return withoutParents(causes).toSorted((a, b) => rank(a) - rank(b));
}

function contentOf(entry: string): string {
  return entry.slice(entry.indexOf(" ") + 1);
}

/** What changed is told before what came and went. */
function rank(cause: MissCause): number {
  const order: readonly string[] = ["changed", "renamed", "mode", "added", "removed"];
  return cause.kind === "file" ? order.indexOf(cause.change) : -1;
}

function changedFile(path: string, was: string, is: string): MissCause {
  const [modeBefore = "", ...before] = was.split(" ");
  const [mode = "", ...now] = is.split(" ");
  if (mode === modeBefore || before.join(" ") !== now.join(" ")) return { kind: "file", change: "changed", path };
  return { kind: "file", change: "mode", path, before: modeBefore.replace(/^d/, ""), now: mode.replace(/^d/, "") };
}

/** A directory that came or went with something in it is told by what was in it. */
function withoutParents(causes: readonly MissCause[]): readonly MissCause[] {
  const parents = new Set<string>();
  for (const cause of causes) {
    if (cause.kind !== "file") continue;
    for (let at = cause.path.lastIndexOf("/"); at > 0; at = cause.path.lastIndexOf("/", at - 1))
      parents.add(cause.path.slice(0, at));
  }
  return causes.filter((cause) => cause.kind !== "file" || !parents.has(cause.path) || cause.change === "mode");
}
