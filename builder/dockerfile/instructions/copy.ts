import type { CopyInstruction, Heredoc, Word } from "../ast.ts";
import { isFileName, readHeredoc } from "../heredoc.ts";
import { wordList } from "./arguments.ts";
import { flagBoolean, flagValue } from "./flag-table.ts";
import { commonFields, syntaxError, type InstructionSource } from "./source.ts";

/** COPY and ADD: sources, then one destination. @throws E_DOCKERFILE_SYNTAX */
export function parseCopy(source: InstructionSource): CopyInstruction {
  const kind = source.name === "ADD" ? "ADD" : "COPY";
  const words = wordList(source);
  const dest = words.at(-1);
  if (dest === undefined || words.length < 2) {
    throw syntaxError(source, `Cannot read ${kind}: it needs at least one source and a destination`, {
      hint: `write ${kind} source destination`,
    });
  }
  const read = words.map((word) => ({ word, heredoc: heredocOf(source, word) }));
  if (read.at(-1)?.heredoc !== undefined)
    throw syntaxError(source, `Cannot read ${kind}: the destination cannot be a heredoc`, { at: dest.location });
  return {
    kind,
    ...commonFields(source),
    heredocs: read.flatMap(({ heredoc }) => heredoc ?? []),
    sources: read.slice(0, -1).flatMap(({ word, heredoc }) => (heredoc === undefined ? word : [])),
    dest,
    from: flagValue(source, "from") || undefined,
    chown: flagValue(source, "chown"),
    chmod: flagValue(source, "chmod"),
    link: flagBoolean(source, "link") ?? false,
    parents: flagBoolean(source, "parents") ?? false,
    exclude: source.flags.filter((flag) => flag.name === "exclude").map((flag) => flag.value),
    checksum: flagValue(source, "checksum"),
    keepGitDir: flagBoolean(source, "keep-git-dir"),
    unpack: flagBoolean(source, "unpack"),
  };
}

/** The heredoc that a word of the arguments stands for. @throws E_HEREDOC for one that cannot be a file's name */
function heredocOf(source: InstructionSource, word: Word): Heredoc | undefined {
  const start = readHeredoc(word.raw);
  if (start === undefined) {
    if (!/^\d*<<-?$/.test(word.raw) || source.heredocs.length === 0) return undefined;
    throw heredocError(source, word, "a space follows <<", "write the word right behind it: <<EOF");
  }
  if (!isFileName(start.name)) {
    throw heredocError(source, word, `${JSON.stringify(start.name)} cannot be the name of a file`, "write <<NAME");
  }
  // Of two with one name the last wins.
  const found = source.heredocs.findLast(({ name }) => name === start.name);
  return { ...start, body: found?.body ?? "", content: found?.content ?? "", location: word.location };
}

function heredocError(source: InstructionSource, word: Word, why: string, hint: string): Error {
  const message = `Cannot read ${source.name}: ${why}`;
  return syntaxError(source, message, { code: "E_HEREDOC", at: word.location, hint });
}
