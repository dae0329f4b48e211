import { readFileSync } from "node:fs";

/** The mounts of this machine that name a path, or are at one of `targets`: other programs mount as well meanwhile. */
export function mountsOf(path: string, targets: readonly string[] = []): readonly string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => line.includes(path) || targets.includes(line.split(" ")[4] ?? ""));
}
