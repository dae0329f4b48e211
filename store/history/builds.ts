import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { Root } from "../../native/path.ts";
import type { Holds } from "../holds.ts";
import { lastUseLimit } from "../last-use.ts";
import { replaceFile } from "../replace-file.ts";

/** What is kept: this many builds, and no more bytes of logs than this beside those of the newest build. */
export interface BuildLimits {
  readonly builds: number;
  readonly bytes: number;
}

const usual: BuildLimits = { builds: 100, bytes: 512 << 20 };
const idPattern = /^\d{8}-\d{9}-[0-9a-f]{6}$/;

/**
 * What builds left for people to read: `builds/ID/build.json` and the whole log of each step that ran. IDs sort by
 * time. Nothing here is needed to build; the oldest go first.
 */
export class BuildRecords {
  readonly #root: string;
  readonly #holds: Holds;

  constructor(root: string, holds: Holds) {
    this.#root = join(root, "builds");
    this.#holds = holds;
  }

  /** The name of a new build, which nobody removes while this process has the store; nothing is made yet. */
  newID(): string {
    const id = `${timeID(Date.now())}-${randomBytes(3).toString("hex")}`;
    this.#holds.tryHold(id);
    return id;
  }

  directory(id: string): string {
    return join(this.#root, id);
  }

  /** Where the log of a step is; the directory is made. */
  logFile(id: string, name: string): string {
    const directory = join(this.#root, id, "logs");
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    return join(directory, name);
  }

  /** Writes the record, which makes the build known, and removes the oldest ones. */
  write(id: string, record: object, limits: BuildLimits = usual): void {
    mkdirSync(this.directory(id), { recursive: true, mode: 0o700 });
    replaceFile(join(this.directory(id), "build.json"), JSON.stringify(record));
    this.#prune(limits);
  }

  /** Newest first; also builds that still run or were killed, which have no record. */
  list(): readonly string[] {
    return names(this.#root)
      .filter((name) => idPattern.test(name))
      .toSorted()
      .toReversed();
  }

  /** The record as it was written; undefined when there is none or it is damaged. */
  read(id: string): unknown {
    if (!idPattern.test(id)) return undefined;
    try {
      return JSON.parse(readFileSync(join(this.directory(id), "build.json"), "utf8"));
    } catch {
      return undefined;
    }
  }

  /** Removes what was built so many milliseconds ago and earlier; bytes of the logs that went. */
  forget(age: number): number {
    const limit = timeID(lastUseLimit(age));
    const isHeld = this.#holds.others();
    const old = this.list().filter((id) => id.slice(0, limit.length) <= limit && !isHeld(id));
    const bytes = old.reduce((sum, id) => sum + this.#logBytes(id), 0);
    this.#remove(old);
    return bytes;
  }

  /** Removes the oldest builds beyond the limits; the newest always stays. */
  #prune(limits: BuildLimits): void {
    const ids = this.list();
    // Logs are measured only when some were added.
    const [newest] = ids;
    const measured = newest !== undefined && existsSync(join(this.directory(newest), "logs"));
    const isHeld = this.#holds.others();
    let bytes = 0;
    const gone = ids.filter((id, at) => {
      if (at === 0 || isHeld(id)) return false;
      if (at >= limits.builds) return true;
      if (measured) bytes += this.#logBytes(id);
      return bytes > limits.bytes;
    });
    this.#remove(gone);
  }

  #remove(ids: readonly string[]): void {
    if (ids.length === 0) return;
    using root = Root.open(this.#root);
    for (const id of ids) root.removeTree(id);
  }

  #logBytes(id: string): number {
    const logs = join(this.directory(id), "logs");
    return names(logs).reduce(
      (sum, name) => sum + (statSync(join(logs, name), { throwIfNoEntry: false })?.size ?? 0),
      0,
    );
  }
}

/** `20261124-155212450`, in UTC. */
function timeID(time: number): string {
  const digits = new Date(time).toISOString().replaceAll(/\D/g, "");
  return `${digits.slice(0, 8)}-${digits.slice(8)}`;
}

function names(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
