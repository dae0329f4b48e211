import type { CopyInstruction } from "../ast.ts";
import { wordList } from "./arguments.ts";
import { flagBoolean, flagValue } from "./flag-table.ts";
import { commonFields, syntaxError, type InstructionSource } from "./source.ts";

/** COPY and ADD: sources, then one destination. @throws E_DOCKERFILE_SYNTAX */
export function parseCopy(source: InstructionSource): CopyInstruction {
  const kind = source.name === "ADD" ? "ADD" : "COPY";
  const words = wordList(source);
  const dest = words.at(-1);
  if (dest === undefined || words.length + source.heredocs.length < 2) {
    throw syntaxError(source, `Cannot read ${kind}: it needs at least one source and a destination`, {
      hint: `write ${kind} source destination`,
    });
  }
  const names = new Set(source.heredocs.map(({ location }) => `${location.start.line}:${location.start.column}`));
  const isHeredoc = (word: (typeof words)[number]): boolean =>
    names.has(`${word.location.start.line}:${word.location.start.column}`);
  if (isHeredoc(dest))
    throw syntaxError(source, `Cannot read ${kind}: the destination cannot be a heredoc`, { at: dest.location });
  return {
    kind,
    ...commonFields(source),
    sources: words.slice(0, -1).filter((word) => !isHeredoc(word)),
    dest,
    from: flagValue(source, "from"),
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
