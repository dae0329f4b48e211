import { posix } from "node:path";
import type { CopyInstruction, Word } from "../../dockerfile/ast.ts";
import type { CopySource } from "../opspec.ts";
import { addHistory, nextStepName } from "../stage-state.ts";
import { makeVertex } from "../vertex.ts";
import { expandIn, failAt, refuse, type DispatchInput } from "./context.ts";

type Input = DispatchInput<CopyInstruction>;

/** COPY and ADD: one vertex that writes over the stage's file system and reads from the context or another stage. */
export function dispatchCopy(input: Input): void {
  const { state, instruction, context, onbuild } = input;
  refuseUnsupported(input);
  const sources = instruction.sources.map((word) => localSource(input, word));
  const written = expandIn(input, instruction.dest.raw, instruction.dest.location);
  if (sources.length > 1 && !written.endsWith("/") && written !== "." && !written.endsWith("/.")) {
    throw failAt(context, instruction.dest.location, {
      code: "E_COPY_DEST",
      message: `Cannot copy ${sources.length} sources to ${JSON.stringify(written)}: the destination must be a directory and end with /`,
      hint: `write ${written}/`,
    });
  }
  const chown = instruction.chown === undefined ? undefined : expandIn(input, instruction.chown, instruction.location);
  const chmod = parseChmod(input);
  const from = instruction.from === undefined ? context.context : context.stageVertex(instruction.from, instruction);
  const shown = [...sources, written].join(" ");
  const flags = [
    instruction.from === undefined ? "" : `--from=${instruction.from} `,
    chown === undefined ? "" : `--chown=${chown} `,
    chmod === undefined ? "" : `--chmod=${instruction.chmod} `,
  ].join("");
  const name = nextStepName(state, `${instruction.kind} ${flags}${shown}`, onbuild);
  state.vertex = makeVertex({
    op: {
      kind: "copy",
      sources: sources.map((path): CopySource => ({ input: 1, path: posix.resolve("/", path) })),
      dest: absoluteDest(state.config.WorkingDir ?? "/", written),
      ...(chown === undefined ? {} : { chown }),
      ...(chmod === undefined ? {} : { chmod }),
      unpack: instruction.kind === "ADD",
      ...(context.epoch === undefined ? {} : { epoch: context.epoch }),
    },
    inputs: [state.vertex, from],
    name,
    slot: `${state.name}/${state.stepIndex}`,
    location: instruction.location,
    ignoreCache: state.ignoreCache,
  });
  addHistory(state, `${instruction.kind} ${flags.replace(/--from=\S+ /, "")}${shown} # buildkit`, true);
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

function parseChmod(input: Input): number | undefined {
  const { context, instruction } = input;
  if (instruction.chmod === undefined) return undefined;
  const text = expandIn(input, instruction.chmod, instruction.location);
  if (/^[0-7]{1,5}$/.test(text) && Number.parseInt(text, 8) <= 0o7777) return Number.parseInt(text, 8);
  if (/^[ugoa]*[-+=]/.test(text)) throw refuse(context, flagLocation(input, "chmod"), `the symbolic --chmod=${text}`);
  throw failAt(context, flagLocation(input, "chmod"), {
    code: "E_CHMOD_INVALID",
    message: `Cannot read --chmod=${text}: not an octal number from 0 to 07777`,
  });
}

function flagLocation(input: Input, name: string): CopyInstruction["location"] {
  return input.instruction.flags.find((flag) => flag.name === name)?.location ?? input.instruction.location;
}

function refuseUnsupported(input: Input): void {
  const { instruction, context } = input;
  const [heredoc] = instruction.heredocs;
  if (heredoc !== undefined)
    throw refuse(context, heredoc.location, `the heredoc <<${heredoc.name} of ${instruction.kind}`);
  const known = new Set(["from", "chown", "chmod"]);
  const flag = instruction.flags.find((one) => !known.has(one.name) && one.value !== "false");
  if (flag !== undefined) throw refuse(context, flag.location, `${instruction.kind} --${flag.name}`);
}
