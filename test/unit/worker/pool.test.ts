import { spawnSync } from "node:child_process";
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";

const pool = pathToFileURL(join(import.meta.dirname, "../../../builder/worker/pool.ts")).href;

describe("WorkerPool", () => {
  it("is disposed of to the end while a task is ending: nothing else keeps the process", () => {
    const directory = mkdtempSync(join(tmpdir(), "tsbuild-pool-"));
    for (const name of ["upper", "lower"]) mkdirSync(join(directory, name));
    const place = { upper: join(directory, "upper"), lowers: [join(directory, "lower")] };
    // The task's only progress comes before its end, which then meets the disposing: often, not always.
    const script = `
      import { WorkerPool } from ${JSON.stringify(pool)};
      const { signal } = new AbortController();
      for (let round = 0; round < 8; round++) {
        const pool = new WorkerPool(1);
        const { promise, resolve } = Promise.withResolvers();
        pool.run("seal", ${JSON.stringify(place)}, { signal, onProgress: resolve }).catch(() => undefined);
        await promise;
        await pool[Symbol.asyncDispose]();
      }
      console.log("disposed");
    `;
    try {
      const file = join(directory, "script.mjs");
      writeFileSync(file, script);
      const { status, stdout } = spawnSync(process.execPath, [file], { encoding: "utf8" });
      expect({ status, stdout }).toEqual({ status: 0, stdout: "disposed\n" });
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
