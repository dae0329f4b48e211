import { Root, type Dir } from "../../native/path.ts";

/** The time of the newest regular file below a directory, in whole seconds since the epoch; undefined: it has none. */
export function newestFile(directory: string): number | undefined {
  using root = Root.open(directory);
  const found = newest(root);
  return found === undefined ? undefined : Number(found / 1_000_000_000n);
}

function newest(dir: Dir): bigint | undefined {
  let latest: bigint | undefined;
  for (const name of dir.names()) {
    const stat = dir.stat(name);
    let time = stat?.type === "file" ? stat.mtime : undefined;
    if (stat?.type === "directory") {
      using sub = dir.openDir(name);
      time = newest(sub);
    }
    if (time !== undefined && (latest === undefined || time > latest)) latest = time;
  }
  return latest;
}
