import { posix } from "node:path";
import type { CopyInstruction } from "../../dockerfile/ast.ts";
import { addHistory, nextStep } from "../stage-state.ts";
import { makeVertex, scratchVertex, type Vertex } from "../../graph/vertex.ts";
import { expandPathIn, type DispatchInput } from "./context.ts";
import { checkFlags, chmodOf, chownOf, excludeOf } from "./copy-flags.ts";
import { inlineFiles } from "./copy-inline.ts";
import { copySources } from "./copy-sources.ts";
import { stepName } from "./step-name.ts";

type Input = DispatchInput<CopyInstruction>;

/** COPY and ADD: one vertex that writes over the stage's file system and reads from contexts, stages and URLs. */
export function dispatchCopy(input: Input): void {
  const { state, instruction, context } = input;
  checkFlags(input);
  const from = copySources(input);
  const written = expandPathIn(input, instruction.dest);
  const inline = inlineFiles(input);
  const chown = chownOf(input);
  const chmod = chmodOf(input);
  const exclude = excludeOf(input);
  const shown = [...from.shown, ...inline.map(({ name: word }) => `<<${word}`), written].join(" ");
  const slot = nextStep(state);
  const name = stepName(input);
  // Over nothing there is nothing to link to: the layer itself is the result.
  const linked = instruction.link && state.vertex.op.kind !== "scratch";
  const made = makeVertex({
    op: {
      kind: "copy",
      sources: from.sources,
      ...(inline.length === 0 ? {} : { inline }),
      dest: absoluteDest(state.config.WorkingDir ?? "/", written),
      ...(chown === undefined ? {} : { chown }),
      ...(chmod === undefined ? {} : { chmod: chmod.mode }),
      ...(exclude.length === 0 ? {} : { exclude }),
      ...(instruction.link ? { link: true } : {}),
      unpack: instruction.unpack ?? instruction.kind === "ADD",
      ...(instruction.unpack === true ? { unpackUrls: true } : {}),
      ...(context.epoch === undefined ? {} : { epoch: context.epoch }),
    },
    inputs: [linked ? scratchVertex(`${slot}/scratch`) : state.vertex, ...from.inputs],
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

/** Stacks the layer over the stage's file system. */
function linkVertex(base: Vertex, layer: Vertex): Vertex {
  const { name, slot, location } = layer;
  return makeVertex({
    op: { kind: "link" },
    inputs: [base, layer],
    name: name.replace(/^(?:\[[^\]]*\] )?(?:ONBUILD )?/, "$&LINK "),
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
