import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A v1 cpuset takes no process before it has processors and memory nodes. */
export function inheritCpuset(from: string, to: string): void {
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    if (readFileSync(join(to, file), "utf8").trim() === "")
      writeFileSync(join(to, file), readFileSync(join(from, file)));
  }
}
