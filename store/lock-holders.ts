import { readFileSync, statSync } from "node:fs";

/** Other processes that hold a lock on one byte of the file, as `python3 (1234)`. @see proc_locks(5) */
export function lockHolders(file: string, byte: number): readonly string[] {
  try {
    const place = placeOf(file);
    const rows = readFileSync("/proc/locks", "utf8")
      .split("\n")
      .map((row) => row.trim().split(/\s+/));
    const holds = ([, , , , , at, start, end]: readonly string[]): boolean =>
      at === place && Number(start) <= byte && (end === "EOF" || Number(end) >= byte);
    const pids = new Set(rows.filter(holds).map((row) => Number(row[4])));
    return [...pids].filter((pid) => pid > 0 && pid !== process.pid).map((pid) => `${nameOf(pid)} (${pid})`);
  } catch {
    return [];
  }
}

/** As the kernel writes it: `fe:01:1234`, device and inode. */
function placeOf(file: string): string {
  const stat = statSync(file, { bigint: true });
  const major = ((stat.dev >> 8n) & 0xfffn) | ((stat.dev >> 32n) & ~0xfffn);
  const minor = (stat.dev & 0xffn) | ((stat.dev >> 12n) & ~0xffn);
  const hex = (number: bigint): string => number.toString(16).padStart(2, "0");
  return `${hex(major)}:${hex(minor)}:${stat.ino}`;
}

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return "a process";
  }
}
