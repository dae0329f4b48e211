import { SyscallError } from "../../native/errors.ts";
import { Root, type Dir } from "../../native/path.ts";
import type { Stub } from "../../native/process.ts";

/**
 * Removes the mount targets that a container's start had to make in the writable layer, so that they are not in the
 * image: those still empty, last first, each directory with the time it had.
 */
export function removeStubs(upper: string, stubs: readonly Stub[]): void {
  if (stubs.length === 0) return;
  using root = Root.open(upper);
  for (const stub of stubs.toReversed()) {
    try {
      using stack = new DisposableStack();
      const names = stub.path.split("/").filter((name) => name !== "");
      const name = names.pop();
      if (name === undefined) continue;
      // Step by step: a symlink that the program put in the way is not followed.
      let dir: Dir = root;
      for (const above of names) dir = stack.use(dir.openDir(above));
      removeStub(dir, name, stub);
    } catch (error) {
      // The program removed the directory, or put something there: then it is no stub of ours.
      if (!(error instanceof SyscallError)) throw error;
    }
  }
}

function removeStub(parent: Dir, name: string, stub: Stub): void {
  const stat = parent.stat(name);
  if (stat === undefined || stat.type !== stub.type || (stub.type === "file" && stat.size > 0)) return;
  const { mtime } = parent.statSelf();
  if (stub.type === "file") parent.unlink(name);
  else parent.rmdir(name);
  // Any other change of the directory was the program's, and its time stays.
  if (mtime === stub.after) parent.utimens(".", stub.before);
}
