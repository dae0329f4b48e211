import { Root } from "../../../native/path.ts";
import { walkBelow } from "../../../native/walk.ts";

/** The time of the newest regular file below a directory, in whole seconds since the epoch; undefined: it has none. */
export function newestFile(directory: string): number | undefined {
  using root = Root.open(directory);
  let latest: bigint | undefined;
  for (const { stat } of walkBelow(root)) {
    if (stat.type === "file" && (latest === undefined || stat.mtime > latest)) latest = stat.mtime;
  }
  return latest === undefined ? undefined : Number(latest / 1_000_000_000n);
}
