import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Mount } from "../../../runtime/index.ts";
import type { RunOp } from "../../graph/opspec.ts";

/** The mounts that give a RUN its script; dispose removes the file. */
export interface ScriptMount extends Disposable {
  readonly mounts: readonly Mount[];
}

/** A heredoc with `#!` as /dev/pipes/NAME, 0755, read-only, in no layer. `scratch`: a directory of the build's own. */
export function scriptMount({ script }: RunOp, scratch: string): ScriptMount {
  if (script === undefined) return { mounts: [], [Symbol.dispose]: () => undefined };
  const directory = mkdtempSync(join(scratch, "pipes-"));
  const file = join(directory, script.name);
  writeFileSync(file, script.content);
  // Whatever the umask is: USER may be anyone.
  chmodSync(file, 0o755);
  chmodSync(directory, 0o755);
  return {
    mounts: [{ kind: "bind", source: directory, target: "/dev/pipes", attributes: ["ro"] }],
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** As an input of the step's key. */
export function scriptInput({ script }: RunOp): Readonly<Record<string, string>> {
  return script === undefined ? {} : { [`heredoc ${script.name}`]: script.content };
}
