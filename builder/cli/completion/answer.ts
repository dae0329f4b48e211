import { keptRegistries } from "../../../registry/index.ts";
import { storedNames } from "../../../store/image/stored-names.ts";
import type { CommandTable } from "../flags/command-table.ts";
import type { Config } from "../config/config.ts";
import { familiarName } from "../format/names.ts";
import { complete, type Completion } from "./complete.ts";
import { dockerfileNames } from "./dockerfile-names.ts";
import { scanLine } from "./scan.ts";
import { behindBreak, shellWords } from "./shell-words.ts";

/**
 * What the completion of a shell gets: a candidate a line, with a tab and what it is, then who else may know. `bash LINE
 * BREAKS` has the line up to the cursor, `zsh` and `fish` have the words after the program's name.
 */
export function answerShell(table: CommandTable, words: readonly string[], config: Config): string {
  const [shell, ...rest] = words;
  const [line = "", breaks = ""] = rest;
  const asked = shell === "bash" ? shellWords(line).slice(1) : rest;
  const { candidates, files } = completeHere(table, asked, config);
  const current = asked.at(-1) ?? "";
  const lines = candidates.map(({ value, help }) =>
    shell === "bash" ? behindBreak(value, current, breaks) : `${value}\t${help}`,
  );
  const who = { none: ":none", file: ":files", directory: ":directories" }[files];
  return [...lines, who, ""].join("\n");
}

function completeHere(table: CommandTable, words: readonly string[], config: Config): Completion {
  const root = scanLine(table, words.slice(0, -1)).given.get("root")?.at(-1) ?? config.root;
  return complete(table, words, {
    images: () => imageNames(root, words.at(-1) ?? ""),
    dockerfile: (file, context) => dockerfileNames(file, context, config.cwd),
    registries: () => quietly(() => keptRegistries(config.loginFile)).filter((name) => /^[\w.:/-]+$/.test(name)),
    variables: () => Object.keys(config.env),
  });
}

/** Names as they would be typed: without `:latest`, unless a tag is being typed. */
function imageNames(root: string, current: string): readonly string[] {
  const names = storedNames(root).map(familiarName);
  if (current.includes(":")) return names;
  return [...new Set(names.map((name) => name.replace(/:latest$/, "")))];
}

function quietly<T>(look: () => readonly T[]): readonly T[] {
  try {
    return look();
  } catch {
    return [];
  }
}
