import {
  closeSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Script } from "node:vm";

/** So many short runs add the functions that they needed, and so many long ones: 20 ms are little beside their time. */
const lessons = { short: 3, long: 10 } as const;
const longMs = 1000;
const keptMs = 30 * 86_400_000;

/**
 * The compiled functions of a command, in a directory that is the user's alone. Node's compile cache has only what was
 * compiled while a file was loaded; this is written when a command has ended, with every function that ran, which saves
 * a fifth of the CPU of a build that finds everything. Nothing that fails here matters.
 */
export class CodeCache {
  readonly #directory: string;
  readonly #file: string;
  #kept: Buffer | undefined;

  constructor(directory: string, name: string) {
    this.#directory = directory;
    this.#file = join(directory, `${process.version}-${process.arch}-${name}`);
  }

  /** What V8 takes as `cachedData`. It checks its own version and flags, but not the content: only a file of ours counts. */
  read(): Buffer | undefined {
    try {
      const fd = openSync(this.#file, "r");
      try {
        if (fstatSync(fd).uid === process.geteuid?.()) this.#kept = readFileSync(fd);
      } finally {
        closeSync(fd);
      }
    } catch {
      // The first run, or a directory that is gone.
    }
    return this.#kept?.subarray(0, -2);
  }

  /** Keeps what is compiled by now, after the first runs and after one that V8 could not use the old for. */
  write(script: Script): void {
    const old = script.cachedDataRejected === true ? Buffer.alloc(2) : (this.#kept ?? Buffer.alloc(2));
    const runs = { short: old.at(-2) ?? 0, long: old.at(-1) ?? 0 };
    const kind = process.uptime() * 1000 < longMs ? "short" : "long";
    if (runs[kind]++ >= lessons[kind]) return;
    try {
      const data = script.createCachedData();
      // In a long run V8 drops what it has not used for a while: the whole start of the program.
      const best = data.length > old.length - 2 ? data : old.subarray(0, -2);
      this.#removeOld();
      this.#replace(Buffer.concat([best, Buffer.of(runs.short, runs.long)]));
    } catch {
      // A full or read-only disk: the next run compiles again.
    }
  }

  /** Whole or not at all, also when the machine stops. */
  #replace(data: Buffer): void {
    const part = `${this.#file}.${process.pid}`;
    const fd = openSync(part, "wx", 0o600);
    try {
      writeFileSync(fd, data);
      fsyncSync(fd);
      renameSync(part, this.#file);
    } catch (error) {
      rmSync(part, { force: true });
      throw error;
    } finally {
      closeSync(fd);
    }
  }

  /** Those of other bundles, and parts of runs that were killed. */
  #removeOld(): void {
    const oldest = Date.now() - keptMs;
    for (const name of readdirSync(this.#directory)) {
      const file = join(this.#directory, name);
      if (lstatSync(file).mtimeMs < oldest) rmSync(file, { force: true });
    }
  }
}
