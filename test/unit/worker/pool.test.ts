import { spawnSync } from "node:child_process";
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";

const pool = pathToFileURL(join(import.meta.dirname, "../../../builder/solve/worker/pool.ts")).href;

describe("WorkerPool", () => {
  /** Runs the lines of a round some times in a process of their own: `pool` has a task that seals an empty directory. */
  function rounds(count: number, lines: string): unknown {
    const directory = mkdtempSync(join(tmpdir(), "tsbuild-pool-"));
    for (const name of ["upper", "lower"]) mkdirSync(join(directory, name));
    const place = { upper: join(directory, "upper"), lowers: [join(directory, "lower")] };
    const script = `
      import { WorkerPool } from ${JSON.stringify(pool)};
      const { signal } = new AbortController();
      for (let round = 0; round < ${count}; round++) {
        const pool = new WorkerPool(1);
        const { promise: progress, resolve } = Promise.withResolvers();
        pool.run("seal", ${JSON.stringify(place)}, { signal, onProgress: resolve }).catch(() => undefined);
        ${lines}
      }
      console.log("disposed");
    `;
    try {
      const file = join(directory, "script.mjs");
      writeFileSync(file, script);
      const { status, stdout } = spawnSync(process.execPath, [file], { encoding: "utf8" });
      return { status, stdout };
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }

  it("is disposed of to the end while a task is ending: nothing else keeps the process", () => {
    // The task's only progress comes before its end, which then meets the disposing: often, not always.
    const ended = rounds(8, "await progress; await pool[Symbol.asyncDispose]();");
    expect(ended).toEqual({ status: 0, stdout: "disposed\n" });
  });

  it("is disposed of while its thread still loads: one stopped in an addon's start would end the process", () => {
    const wait = "await new Promise((done) => setTimeout(done, 40 + 8 * round));";
    const ended = rounds(20, `${wait} await pool[Symbol.asyncDispose]();`);
    expect(ended).toEqual({ status: 0, stdout: "disposed\n" });
  });
});
