import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A directory that is gone, with all it holds, when the test is over. */
export interface Temp extends Disposable {
  readonly path: string;
}

export function makeTemp(): Temp {
  const path = mkdtempSync(join(tmpdir(), "tsbuild-test-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
