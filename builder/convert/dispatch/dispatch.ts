import type { Instruction } from "../../dockerfile/ast.ts";
import type { StageState } from "../stage-state.ts";
import { failAt, type DispatchContext } from "./context.ts";
import { dispatchCopy } from "./copy.ts";
import * as metadata from "./metadata.ts";
import { dispatchRun } from "./run.ts";
import { dispatchWorkdir } from "./workdir.ts";

/** Applies one instruction of a stage to its state. @throws DockerfileError */
export function dispatch(
  state: StageState,
  instruction: Instruction,
  context: DispatchContext,
  onbuild: boolean = false,
): void {
  const common = { state, context, onbuild };
  switch (instruction.kind) {
    case "ENV":
      return metadata.dispatchEnv({ ...common, instruction });
    case "ARG":
      return metadata.dispatchArg({ ...common, instruction });
    case "LABEL":
      return metadata.dispatchLabel({ ...common, instruction });
    case "EXPOSE":
      return metadata.dispatchExpose({ ...common, instruction: { ...instruction, kind: "EXPOSE" } });
    case "VOLUME":
      return metadata.dispatchVolume({ ...common, instruction: { ...instruction, kind: "VOLUME" } });
    case "USER":
      return metadata.dispatchUser({ ...common, instruction });
    case "WORKDIR":
      return dispatchWorkdir({ ...common, instruction });
    case "STOPSIGNAL":
      return metadata.dispatchStopSignal({ ...common, instruction });
    case "SHELL":
      return metadata.dispatchShell({ ...common, instruction });
    case "CMD":
      return metadata.dispatchCmd({ ...common, instruction });
    case "ENTRYPOINT":
      return metadata.dispatchEntrypoint({ ...common, instruction });
    case "HEALTHCHECK":
      return metadata.dispatchHealthcheck({ ...common, instruction });
    case "ONBUILD":
      return metadata.dispatchOnbuild({ ...common, instruction });
    case "MAINTAINER":
      return metadata.dispatchMaintainer({ ...common, instruction });
    case "RUN":
      return dispatchRun({ ...common, instruction });
    case "COPY":
    case "ADD":
      return dispatchCopy({ ...common, instruction });
    case "FROM":
      throw failAt(context, instruction.location, {
        code: "E_ONBUILD_FROM",
        message: "Cannot use FROM inside a stage",
      });
    default:
      return instruction satisfies never;
  }
}
