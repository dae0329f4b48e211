import { posix } from "node:path";
import type { WordInstruction } from "../../dockerfile/ast.ts";
import { addHistory, nextStep } from "../stage-state.ts";
import { makeVertex } from "../../graph/vertex.ts";
import { expandPathIn, type DispatchInput } from "./context.ts";
import { stepName } from "./step-name.ts";

/**
 * WORKDIR: a relative path goes on from the last one; the directory is made, as a layer, unless it is `/`. As with
 * BuildKit, an absolute one is in the config as it was written: `/app/`.
 */
export function dispatchWorkdir(input: DispatchInput<WordInstruction>): void {
  const { state, instruction, context } = input;
  const written = expandPathIn(input, instruction.word);
  const path = posix.resolve("/", state.config.WorkingDir ?? "/", written);
  const shown = written.startsWith("/") ? written : path;
  state.config.WorkingDir = shown;
  state.workdirSet = true;
  if (path !== "/") {
    const slot = nextStep(state);
    state.vertex = makeVertex({
      op: {
        kind: "mkdir",
        path,
        user: state.config.User ?? "",
        ...(context.epoch === undefined ? {} : { epoch: context.epoch }),
      },
      inputs: [state.vertex],
      name: stepName(input),
      slot,
      location: instruction.location,
    });
  }
  addHistory(state, `WORKDIR ${shown}`, path !== "/");
}
