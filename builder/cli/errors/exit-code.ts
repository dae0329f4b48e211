import { TsbuildError } from "../../../native/errors.ts";
import { UsageError } from "../base/usage-error.ts";
import { Interrupted } from "../base/interrupted.ts";
import { DockerfileError } from "../../base/error.ts";
import { causes } from "./explain.ts";

/** 130 Ctrl-C, 143 SIGTERM, 2 usage; `run`: 127 not found, 126 cannot be invoked, 125 everything else; 1 a failure. */
export function exitCodeOf(thrown: unknown, command: string | undefined): number {
  const chain = causes(thrown);
  for (const error of chain) if (error instanceof Interrupted) return error.exitCode;
  if (thrown instanceof UsageError) return 2;
  if (command !== "run") return isWrongName(thrown) ? 2 : 1;
  for (const error of chain) {
    if (!(error instanceof TsbuildError)) continue;
    if (error.code === "E_EXEC_NOT_FOUND") return 127;
    if (error.code === "E_EXEC_DENIED") return 126;
  }
  return 125;
}

/** A name on the command line that is none; in a Dockerfile it is the build that fails. */
function isWrongName(thrown: unknown): boolean {
  return thrown instanceof TsbuildError && thrown.code === "E_REF_INVALID" && !(thrown instanceof DockerfileError);
}
