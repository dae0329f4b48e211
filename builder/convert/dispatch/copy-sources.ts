import { posix } from "node:path";
import type { CopyInstruction, Word } from "../../dockerfile/ast.ts";
import { checkChecksum } from "../../base/git-options.ts";
import { parseGitUrl, type GitUrl } from "../../base/git-url.ts";
import { PathPatterns } from "../../base/patterns/path-patterns.ts";
import { redactUrls } from "../../base/redact-url.ts";
import { splitUrl, withoutUser } from "../../base/split-url.ts";
import { parseChecksum } from "../../inputs/source/http/checksum.ts";
import { fileNameOf } from "../../inputs/source/http/file-name.ts";
import { TsbuildError } from "../../../native/errors.ts";
import { urlVertex } from "../base.ts";
import { gitSpec, gitVertex } from "../../graph/git-vertex.ts";
import type { CopySource } from "../../graph/opspec.ts";
import type { Vertex } from "../../graph/vertex.ts";
import { atPlace, expandPathIn, failAt, type DispatchInput } from "./context.ts";
import { flagLocation, flagText } from "./copy-flags.ts";

type Input = DispatchInput<CopyInstruction>;

/** What an instruction copies: `inputs` begin at index 1 of the step's. */
export interface CopySources {
  readonly sources: readonly CopySource[];
  readonly inputs: readonly Vertex[];
  /** The words as progress and history show them. */
  readonly shown: readonly string[];
}

/** What a word of the instruction is. */
type Meaning =
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "url"; readonly url: string }
  | { readonly kind: "git"; readonly url: GitUrl; readonly text: string };

/** @throws E_COPY_SOURCE, E_COPY_PARENTS, E_GIT_URL, E_URL_INVALID, E_CHECKSUM, E_CHECKSUM_INVALID */
export function copySources(input: Input): CopySources {
  const words = input.instruction.sources.map((word) => ({ word, meaning: meaningOf(input, word) }));
  const checksum = checksumOf(input, words);
  const inputs: Vertex[] = [];
  const sources = words.map(({ word, meaning }): CopySource => {
    if (meaning.kind === "path") return localSource(input, word, meaning.path, addInput(inputs, localVertex(input)));
    if (meaning.kind === "git")
      return { input: addInput(inputs, gitSource(input, word, meaning.url, checksum)), path: "/" };
    const made = urlSource(input, word, meaning.url, checksum);
    return { input: addInput(inputs, made.vertex), path: `/${made.name}` };
  });
  return { sources, inputs, shown: words.map(({ meaning }) => shownAs(meaning)) };
}

function shownAs(meaning: Meaning): string {
  if (meaning.kind === "path") return meaning.path;
  return redactUrls(meaning.kind === "url" ? meaning.url : meaning.text);
}

function addInput(inputs: Vertex[], vertex: Vertex): number {
  const known = inputs.findIndex(({ digest }) => digest === vertex.digest);
  return 1 + (known < 0 ? inputs.push(vertex) - 1 : known);
}

/** --keep-git-dir says of a URL that it is a repository, whatever its path. */
function meaningOf(input: Input, word: Word): Meaning {
  const { instruction } = input;
  const text = expandPathIn(input, word);
  const git = atPlace(input, word.location, () => parseGitUrl(text, instruction.keepGitDir !== undefined));
  const meaning: Meaning =
    git !== undefined && !git.bare
      ? { kind: "git", url: git, text }
      : /^https?:\/\//.test(text)
        ? { kind: "url", url: text }
        : { kind: "path", path: text };
  if (meaning.kind === "path" || instruction.kind === "ADD") return meaning;
  throw failAt(input.context, word.location, {
    code: "E_COPY_SOURCE",
    message: `Cannot copy ${JSON.stringify(redactUrls(text))}: the source of COPY cannot be ${meaning.kind === "url" ? "a URL" : "a git repository"}`,
    hint: "use ADD",
  });
}

/** As written; what it has to be depends on the source. @throws E_CHECKSUM */
function checksumOf(input: Input, words: readonly { readonly meaning: Meaning }[]): string | undefined {
  const { instruction, context } = input;
  const checksum = flagText(input, "checksum", instruction.checksum);
  if (checksum === undefined) return undefined;
  const count = words.length;
  const fail = (why: string, hint: string): Error =>
    failAt(context, flagLocation(input, "checksum"), {
      code: "E_CHECKSUM",
      message: `Cannot use --checksum: ${why}`,
      hint,
    });
  if (count === 0) throw fail("a heredoc is the only source", "it is for URLs and git repositories");
  if (count !== 1) throw fail(`the instruction has ${count} sources`, "write an ADD of its own for each");
  if (words[0]?.meaning.kind === "path")
    throw fail("the source is a file of the context", "it is for URLs and git repositories");
  return checksum;
}

/** Where paths are read. */
function localVertex({ instruction, context }: Input): Vertex {
  return instruction.from === undefined ? context.context : context.stageVertex(instruction.from, instruction);
}

function localSource(input: Input, word: Word, path: string, index: number): CopySource {
  if (!input.instruction.parents) return { input: index, path: posix.resolve("/", path) };
  return parentsSource(input, word, path, index);
}

function urlSource(
  input: Input,
  word: Word,
  text: string,
  checksum: string | undefined,
): { readonly vertex: Vertex; readonly name: string } {
  const { context } = input;
  const parts = splitUrl(text);
  if (parts === undefined || !URL.canParse(text)) {
    throw failAt(context, word.location, {
      code: "E_URL_INVALID",
      message: `Cannot read the URL ${redactUrls(text)}: it has no host, or characters that no URL has`,
      hint: "write other characters as %XX",
    });
  }
  const sum =
    checksum === undefined ? undefined : atPlace(input, flagLocation(input, "checksum"), () => parseChecksum(checksum));
  const name = fileNameOf(text);
  const url = withoutUser(text.replace(/#.*$/s, ""));
  if (parts.userinfo !== undefined) context.keepUser(url, parts.userinfo);
  return { name, vertex: urlVertex({ url, name, ...(sum === undefined ? {} : { checksum: sum }) }, word.location) };
}

/** What flag and URL both say has to be the same. @throws E_GIT_URL */
function gitSource(input: Input, word: Word, url: GitUrl, text: string | undefined): Vertex {
  const { context, instruction } = input;
  const { keepGitDir } = instruction;
  const differ = (flag: string): Error =>
    failAt(context, flagLocation(input, flag), {
      code: "E_GIT_URL",
      message: `Cannot read ADD: --${flag} and the URL say different things`,
      hint: "leave one of them out",
    });
  if (keepGitDir !== undefined && url.keepGitDir !== undefined && keepGitDir !== url.keepGitDir)
    throw differ("keep-git-dir");
  const checksum = text === undefined ? undefined : commitChecksum(input, text);
  if (checksum !== undefined && url.checksum !== undefined && checksum !== url.checksum) throw differ("checksum");
  if (url.userinfo !== undefined) context.keepUser(url.remote, url.userinfo);
  return gitVertex(gitSpec(url, { checksum, keepGitDir }), word.location);
}

function commitChecksum(input: Input, text: string): string {
  return atPlace(input, flagLocation(input, "checksum"), () =>
    checkChecksum(
      text,
      (why) =>
        new TsbuildError(`Cannot use --checksum: ${why}`, {
          code: "E_CHECKSUM_INVALID",
          hint: "for a git repository it is the hash of a commit, or its beginning",
        }),
    ),
  );
}

/**
 * `base/./pattern` or, without a pivot, `pattern` from the top: the base is a directory, whose content is chosen by
 * the pattern. What is named without wildcards has to be there.
 */
function parentsSource(input: Input, word: Word, path: string, index: number): CopySource {
  const pivot = path.indexOf("/./");
  const base = posix.resolve("/", pivot < 0 ? "" : path.slice(0, pivot));
  const include = posix.resolve("/", pivot < 0 ? path : path.slice(pivot + 3)).slice(1);
  const wild = hasWildcard(base) || hasWildcard(include);
  if (include === "" && !wild) {
    throw failAt(input.context, word.location, {
      code: "E_COPY_PARENTS",
      message: `Cannot copy ${JSON.stringify(path)} with --parents: it names nothing below ${base}`,
      hint: "leave out --parents to copy a whole directory",
    });
  }
  atPlace(input, word.location, () => new PathPatterns([include]));
  return { input: index, path: base, include, ...(wild ? {} : { required: posix.join(base, include) }) };
}

/** Whether Go's filepath.Match would take the text for more than a name. */
function hasWildcard(path: string): boolean {
  return /^(?:[^\\*?[]|\\.)*[*?[]/s.test(path);
}
