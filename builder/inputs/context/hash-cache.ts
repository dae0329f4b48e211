import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Stat } from "../../../native/path.ts";
import { replaceFile } from "../../../store/replace-file.ts";

/** A file changed less than this long ago (ns) may change again within the same clock tick: not remembered. */
const racy = 2_000_000_000n;

/**
 * Remembered hashes of a directory's files: a file whose inode, size, mtime and ctime are as before is not read again.
 * One flat text file: read and scanned in one go, which is several times cheaper than a database for 20,000 lines.
 */
export class HashCache {
  readonly #file: string;
  #entries: Map<string, string> | undefined;
  readonly #opened = BigInt(Date.now()) * 1_000_000n;
  #changed = false;

  /** `directory` holds the cache files; `name` is that of one context. A missing or damaged file is an empty cache. */
  constructor(directory: string, name: string) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#file = join(directory, `${name}.hashes`);
  }

  /** Read when it is first asked: a build that finds all digests needs no file's. */
  get #known(): Map<string, string> {
    return (this.#entries ??= readEntries(this.#file));
  }

  /** The remembered hash, or that of `compute`. */
  hash(path: string, stat: Stat, compute: () => string): string {
    const state = `${stat.ino} ${stat.size} ${stat.mtime} ${stat.ctime}`;
    const known = this.#known.get(path);
    if (known?.startsWith(`${state} `) === true) return known.slice(state.length + 1);
    const hash = compute();
    if (stat.ctime + racy < this.#opened) {
      this.#known.set(path, `${state} ${hash}`);
      this.#changed = true;
    }
    return hash;
  }

  /** Writes what was added, atomically; files not asked for are kept. */
  save(): void {
    if (!this.#changed) return;
    this.#changed = false;
    const lines = [...this.#known].map(([path, entry]) => `${entry} ${path}`);
    replaceFile(this.#file, lines.join("\0"));
  }
}

function readEntries(file: string): Map<string, string> {
  const entries = new Map<string, string>();
  for (const line of readText(file).split("\0")) {
    let at = -1;
    for (let field = 0; field < 5; field++) at = line.indexOf(" ", at + 1);
    if (at > 0) entries.set(line.slice(at + 1), line.slice(0, at));
  }
  return entries;
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
