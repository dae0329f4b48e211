import { posix } from "node:path";
import type { CopyInstruction, Heredoc, Word } from "../../dockerfile/ast.ts";
import { errorMessage, TsbuildError } from "../../../native/errors.ts";
import { DockerfileError } from "../../dockerfile/error.ts";
import { parseFileMode, type FileMode } from "../../dockerfile/file-mode.ts";
import type { SourceLocation } from "../../dockerfile/location.ts";
import { PathPatterns } from "../../dockerfile/path-patterns.ts";
import { expandBody } from "../../dockerfile/heredoc.ts";
import { envMap } from "../env.ts";
import type { CopySource, InlineFile } from "../opspec.ts";
import { addHistory, nextStepName } from "../stage-state.ts";
import { makeVertex, scratchVertex, type Vertex } from "../vertex.ts";
import { expandIn, failAt, refuse, reportUnset, type DispatchInput } from "./context.ts";

type Input = DispatchInput<CopyInstruction>;

/** COPY and ADD: one vertex that writes over the stage's file system and reads from the context or another stage. */
export function dispatchCopy(input: Input): void {
  const { state, instruction, context, onbuild } = input;
  refuseUnsupported(input);
  const sources = instruction.sources.map((word) => localSource(input, word));
  const written = expandIn(input, instruction.dest.raw, instruction.dest.location);
  const inline = inlineFiles(input);
  const count = sources.length + inline.length;
  if (count > 1 && !written.endsWith("/") && written !== "." && !written.endsWith("/.")) {
    throw failAt(context, instruction.dest.location, {
      code: "E_COPY_DEST",
      message: `Cannot copy ${count} sources to ${JSON.stringify(written)}: the destination must be a directory and end with /`,
      hint: `write ${written}/`,
    });
  }
  const chown = chownOf(input);
  const chmod = chmodOf(input);
  const exclude = excludeOf(input);
  const shown = [...sources, ...inline.map(({ name: word }) => `<<${word}`), written].join(" ");
  const flags = instruction.flags.map(({ name: flag, value, hasValue }) =>
    hasValue ? `--${flag}=${value} ` : `--${flag} `,
  );
  const name = nextStepName(state, `${instruction.kind} ${flags.join("")}${shown}`, onbuild);
  const slot = `${state.name}/${state.stepIndex}`;
  // Over nothing there is nothing to link to: the layer itself is the result.
  const linked = instruction.link && state.vertex.op.kind !== "scratch";
  const made = makeVertex({
    op: {
      kind: "copy",
      sources: sources.map((path, at) =>
        instruction.parents ? parentsSource(input, path, at) : { input: 1, path: posix.resolve("/", path) },
      ),
      ...(inline.length === 0 ? {} : { inline }),
      dest: absoluteDest(state.config.WorkingDir ?? "/", written),
      ...(chown === undefined ? {} : { chown }),
      ...(chmod === undefined ? {} : { chmod: chmod.mode }),
      ...(exclude.length === 0 ? {} : { exclude }),
      ...(instruction.link ? { link: true } : {}),
      unpack: instruction.unpack ?? instruction.kind === "ADD",
      ...(context.epoch === undefined ? {} : { epoch: context.epoch }),
    },
    inputs: [linked ? scratchVertex(`${slot}/scratch`) : state.vertex, ...sourceVertex(input)],
    name,
    slot,
    location: instruction.location,
    ignoreCache: state.ignoreCache,
  });
  state.vertex = linked ? linkVertex(state.vertex, made) : made;
  const kept = [
    instruction.parents ? "--parents " : "",
    chown === undefined ? "" : `--chown=${chown} `,
    chmod === undefined ? "" : `--chmod=${chmod.text} `,
  ].join("");
  addHistory(state, `${instruction.kind} ${kept}${shown} # buildkit`, true);
}

/** Where the sources are read; none for heredocs alone. */
function sourceVertex({ instruction, context }: Input): readonly Vertex[] {
  const { from, sources } = instruction;
  if (from !== undefined) return [context.stageVertex(from, instruction)];
  return sources.length === 0 ? [] : [context.context];
}

/** The heredocs with their variables. @throws E_EXPAND */
function inlineFiles(input: Input): readonly InlineFile[] {
  return input.instruction.heredocs.map(({ name, content, expand, location }) => {
    if (!expand) return { name, content };
    const { text, unmatched } = expandHeredoc(input, { name, content, location });
    reportUnset(input, unmatched, location);
    return { name, content: text };
  });
}

function expandHeredoc(
  { state, context }: Input,
  { name, content, location }: Pick<Heredoc, "name" | "content" | "location">,
): ReturnType<typeof expandBody> {
  try {
    return expandBody(content, envMap(state.env));
  } catch (error) {
    throw failAt(context, location, {
      code: "E_EXPAND",
      message: `Cannot expand the heredoc <<${name}: ${errorMessage(error)}`,
      hint: `write \\$ for a dollar sign, or quote the word: <<'${name}'`,
    });
  }
}

/** Stacks the layer over the stage's file system. */
function linkVertex(base: Vertex, layer: Vertex): Vertex {
  const { name, slot, location } = layer;
  return makeVertex({
    op: { kind: "link" },
    inputs: [base, layer],
    name: `LINK ${name}`,
    slot: `${slot}/link`,
    location,
  });
}

/** A trailing slash and `.` mean a directory, and stay visible as a slash. */
function absoluteDest(cwd: string, written: string): string {
  const path = posix.resolve("/", cwd, written);
  const directory = written === "" || /(?:^|\/)\.?$/.test(written);
  return directory && !path.endsWith("/") ? `${path}/` : path;
}

function localSource(input: Input, word: Word): string {
  const { context, instruction } = input;
  const path = expandIn(input, word.raw, word.location);
  const remote = /^https?:\/\//.test(path)
    ? "a URL"
    : /^(?:git@|git:\/\/|ssh:\/\/)/.test(path)
      ? "a git repository"
      : undefined;
  if (remote === undefined) return path;
  if (instruction.kind === "COPY") {
    throw failAt(context, word.location, {
      code: "E_COPY_SOURCE",
      message: `Cannot copy ${JSON.stringify(path)}: the source of COPY cannot be ${remote}`,
      hint: "use ADD",
    });
  }
  throw refuse(context, word.location, `ADD with ${remote} as its source`);
}

/** Empty after expansion is as if it were not there. @throws E_LINK_OWNER */
function chownOf(input: Input): string | undefined {
  const { instruction } = input;
  const location = flagLocation(input, "chown");
  const text = instruction.chown === undefined ? "" : expandIn(input, instruction.chown, location);
  if (text === "") return undefined;
  const name = text.split(/:(.*)/s).find((part) => part !== "" && part !== "root" && !/^\d{1,10}$/.test(part));
  if (!instruction.link || name === undefined) return text;
  throw failAt(input.context, location, {
    code: "E_LINK_OWNER",
    message: `Cannot use --chown=${text} with --link: ${JSON.stringify(name)} is a name, and a linked layer knows no /etc/passwd`,
    hint: "give numbers: --chown=1000:1000",
  });
}

/** Empty after expansion is as if it were not there. */
function chmodOf(input: Input): { readonly text: string; readonly mode: FileMode } | undefined {
  const { instruction } = input;
  const location = flagLocation(input, "chmod");
  const text = instruction.chmod === undefined ? "" : expandIn(input, instruction.chmod, location);
  if (text === "") return undefined;
  return { text, mode: atPlace(input, location, () => parseFileMode(text)) };
}

/** The patterns of --exclude with their variables; a backslash stays, as it belongs to the pattern. */
function excludeOf(input: Input): readonly string[] {
  const flags = input.instruction.flags.filter(({ name }) => name === "exclude");
  return flags.map(({ value, location }) => {
    const pattern = value.includes("$") ? expandIn(input, value, location) : value;
    atPlace(input, location, () => new PathPatterns([pattern]));
    return pattern;
  });
}

/**
 * `base/./pattern` or, without a pivot, `pattern` from the top: the base is a directory, whose content is chosen by
 * the pattern. What is named without wildcards has to be there.
 */
function parentsSource(input: Input, path: string, at: number): CopySource {
  const pivot = path.indexOf("/./");
  const base = posix.resolve("/", pivot < 0 ? "" : path.slice(0, pivot));
  const include = posix.resolve("/", pivot < 0 ? path : path.slice(pivot + 3)).slice(1);
  const wild = hasWildcard(base) || hasWildcard(include);
  const location = input.instruction.sources[at]?.location ?? input.instruction.location;
  if (include === "" && !wild) {
    throw failAt(input.context, location, {
      code: "E_COPY_PARENTS",
      message: `Cannot copy ${JSON.stringify(path)} with --parents: it names nothing below ${base}`,
      hint: "leave out --parents to copy a whole directory",
    });
  }
  atPlace(input, location, () => new PathPatterns([include]));
  return { input: 1, path: base, include, ...(wild ? {} : { required: posix.join(base, include) }) };
}

/** Whether Go's filepath.Match would take the text for more than a name. */
function hasWildcard(path: string): boolean {
  return /^(?:[^\\*?[]|\\.)*[*?[]/s.test(path);
}

/** Runs it with its errors shown at a place of the Dockerfile. */
function atPlace<T>({ context }: Input, location: SourceLocation, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof TsbuildError) || error instanceof DockerfileError) throw error;
    const { code, message, hint } = error;
    throw failAt(context, location, { code, message, ...(hint === undefined ? {} : { hint }) });
  }
}

function flagLocation(input: Input, name: string): CopyInstruction["location"] {
  return input.instruction.flags.find((flag) => flag.name === name)?.location ?? input.instruction.location;
}

function refuseUnsupported(input: Input): void {
  const { instruction, context } = input;
  const known = new Set(["from", "chown", "chmod", "exclude", "link", "parents", "unpack"]);
  const flag = instruction.flags.find((one) => !known.has(one.name) && one.value !== "false");
  if (flag !== undefined) throw refuse(context, flag.location, `${instruction.kind} --${flag.name}`);
}
