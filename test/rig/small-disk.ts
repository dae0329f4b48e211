import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A small file system of its own for a store; dispose unmounts it. */
export class SmallDisk implements Disposable {
  readonly directory: string = mkdtempSync(join(tmpdir(), "tsbuild-disk-"));

  constructor(size: string) {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "none", this.directory]);
  }

  [Symbol.dispose](): void {
    execFileSync("umount", [this.directory]);
    rmSync(this.directory, { recursive: true });
  }
}
