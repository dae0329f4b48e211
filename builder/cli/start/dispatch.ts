import type { CommandSpec } from "../flags/command.ts";
import type { CommandTable } from "../flags/command-table.ts";
import { commonFlags } from "../flags/shared-flags.ts";
import { closest } from "../base/suggest.ts";
import { UsageError } from "../base/usage-error.ts";

/** What a command line asks for. */
export type Request =
  | { readonly kind: "help"; readonly command: CommandSpec | undefined }
  | { readonly kind: "version" }
  /** A shell completes a line. */
  | { readonly kind: "complete"; readonly words: readonly string[] }
  | { readonly kind: "command"; readonly command: CommandSpec; readonly words: readonly string[] };

/** Finds the command: `tsbuild [flags] PATH` is short for `tsbuild build [flags] PATH`. @throws E_COMMAND_UNKNOWN */
export function dispatch(
  table: CommandTable,
  words: readonly string[],
  isDirectory: (path: string) => boolean,
): Request {
  const at = skipCommonFlags(words);
  const word = words[at];
  const build = (): Request => ({ kind: "command", command: table.named("build"), words });
  if (word === undefined) return words.length === 0 ? { kind: "help", command: undefined } : build();
  if (word === "--help" || word === "-h") return { kind: "help", command: undefined };
  if (word === "--version" || word === "-v" || word === "-V") return { kind: "version" };
  if (word === "__complete") return { kind: "complete", words: words.slice(at + 1) };
  if (word === "help") return help(table, words[at + 1]);
  const command = table.find(word);
  if (command !== undefined) return { kind: "command", command, words: words.toSpliced(at, 1) };
  const grouped = table.groups.get(word)?.get(words[at + 1] ?? "");
  if (grouped !== undefined) return { kind: "command", command: table.named(grouped), words: words.toSpliced(at, 2) };
  if (word.startsWith("-") || looksLikePath(word) || isDirectory(word)) return build();
  throw unknownCommand(table, word, words[at + 1]);
}

function help(table: CommandTable, name: string | undefined): Request {
  const command = name === undefined || name.startsWith("-") ? undefined : table.find(name);
  if (name !== undefined && !name.startsWith("-") && command === undefined) throw unknownCommand(table, name);
  return { kind: "help", command };
}

/** The place of the first word that is not a common flag or its value. */
function skipCommonFlags(words: readonly string[]): number {
  let at = 0;
  for (;;) {
    const word = words[at] ?? "";
    const [name] = word.split("=");
    const flag = commonFlags.find((one) => name === `--${one.name}` || name === `-${one.short ?? "-"}`);
    if (flag === undefined) return at;
    at += flag.kind === "bool" || word.includes("=") ? 1 : 2;
  }
}

function looksLikePath(word: string): boolean {
  // git@host:repository is one too.
  return word === "." || word === ".." || word.includes("/") || /^[\w-]+@[\w.-]+:/.test(word);
}

/** `next`: the word behind it, which with a group's name may be a command. */
function unknownCommand(table: CommandTable, word: string, next = ""): UsageError {
  const instead = table.missingMembers.get(`${word} ${next}`);
  if (instead !== undefined) {
    return new UsageError(`Command ${word} ${next} is not implemented`, {
      code: "E_COMMAND_NOT_IMPLEMENTED",
      hint: instead,
    });
  }
  const members = table.groups.get(word);
  if (members !== undefined) {
    return new UsageError(`Command ${word} is a group: the name of its command is missing, or not known`, {
      code: "E_COMMAND_UNKNOWN",
      hint: `tsbuild ${word} ${[...members.keys()].join("|")}`,
    });
  }
  if (table.missingCommands.includes(word)) {
    return new UsageError(`Command ${word} is not implemented`, {
      code: "E_COMMAND_NOT_IMPLEMENTED",
      hint: "tsbuild --help lists the commands",
    });
  }
  const meant = closest(
    word,
    table.commands.flatMap((command) => [command.name, ...(command.aliases ?? [])]),
  );
  return new UsageError(`Unknown command ${JSON.stringify(word)}`, {
    code: "E_COMMAND_UNKNOWN",
    hint: `${meant === undefined ? "tsbuild --help lists the commands" : `did you mean tsbuild ${meant}?`}   (to build a directory: tsbuild ./${word})`,
  });
}
