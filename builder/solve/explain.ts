import type { CacheRecord } from "../../store/store.ts";

const shown = 5;

/** Why a step with these inputs was not found, against the last record of the same step: one line each. */
export function explainMiss(
  before: CacheRecord | undefined,
  inputs: Readonly<Record<string, string>>,
): readonly string[] {
  if (before === undefined) return ["first build of this step"];
  const names = [...new Set([...Object.keys(before.inputs), ...Object.keys(inputs)])].toSorted();
  const changed = names.filter((name) => before.inputs[name] !== inputs[name]);
  if (changed.length === 0) return ["its result is no longer in the store"];
  const own = changed.filter((name) => name !== "base");
  const reasons = (own.length > 0 ? own : changed).map((name) => describe(name, before.inputs[name], inputs[name]));
  const more = reasons.length - shown;
  return more > 0 ? [...reasons.slice(0, shown), `and ${more} more`] : reasons;
}

function describe(name: string, before: string | undefined, now: string | undefined): string {
  if (name === "base") return "an earlier step changed";
  if (name.startsWith("file ")) {
    const path = name.slice("file ".length);
    return before === undefined ? `${path} added` : now === undefined ? `${path} removed` : `${path} changed`;
  }
  if (before === undefined) return `${name} added: ${clip(now ?? "")}`;
  if (now === undefined) return `${name} removed`;
  if (name.startsWith("content ")) return `${name.slice("content ".length)} changed`;
  return `${name} ${clip(before)} -> ${clip(now)}`;
}

function clip(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
