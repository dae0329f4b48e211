import { existsSync, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Root } from "../native/path.ts";
import { lastUseLimit } from "./last-use.ts";

/** Removes what is in the directory and was last changed so many milliseconds ago or earlier. */
export function removeOldEntries(directory: string, age: number): void {
  if (!existsSync(directory)) return;
  const limit = lastUseLimit(age);
  using root = Root.open(directory);
  for (const name of readdirSync(directory)) {
    const found = lstatSync(join(directory, name), { throwIfNoEntry: false });
    if (found !== undefined && found.mtimeMs <= limit) root.removeTree(name);
  }
}
