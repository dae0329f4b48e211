import { posix } from "node:path";
import type { WordInstruction } from "../../dockerfile/ast.ts";
import { addHistory, nextStepName } from "../stage-state.ts";
import { makeVertex } from "../vertex.ts";
import { expandPathIn, type DispatchInput } from "./context.ts";

/**
 * WORKDIR: a relative path goes on from the last one; the directory is made, as a layer, unless it is `/`. As with
 * BuildKit, an absolute one is in the config as it was written: `/app/`.
 */
export function dispatchWorkdir(input: DispatchInput<WordInstruction>): void {
  const { state, instruction, context, onbuild } = input;
  const written = expandPathIn(input, instruction.word);
  const path = posix.resolve("/", state.config.WorkingDir ?? "/", written);
  const shown = written.startsWith("/") ? written : path;
  state.config.WorkingDir = shown;
  state.workdirSet = true;
  if (path !== "/") {
    const name = nextStepName(state, `WORKDIR ${written}`, onbuild);
    state.vertex = makeVertex({
      op: {
        kind: "mkdir",
        path,
        user: state.config.User ?? "",
        ...(context.epoch === undefined ? {} : { epoch: context.epoch }),
      },
      inputs: [state.vertex],
      name,
      slot: `${state.name}/${state.stepIndex}`,
      location: instruction.location,
    });
  }
  addHistory(state, `WORKDIR ${shown}`, path !== "/");
}
