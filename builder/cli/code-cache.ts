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

/** So many runs add the functions that they needed, and more when the 20 ms are little beside what they took. */
const lessons = (ms: number): number => (ms < 1000 ? 3 : 10);
const keptMs = 30 * 86_400_000;

/**
 * The compiled functions of a command, in a directory that is the user's alone. Node's compile cache has only what was
 * compiled while a file was loaded; this is written when a command has ended, with every function that ran, which saves
 * a fifth of the CPU of a build that finds everything. Nothing that fails here matters.
 */
export class CodeCache {
  readonly #directory: string;
  readonly #file: string;
  #runs = 0;

  constructor(directory: string, name: string) {
    this.#directory = directory;
    this.#file = join(directory, `${process.version}-${process.arch}-${name}`);
  }

  /** What V8 takes as `cachedData`. It checks its own version and flags, but not the content: only a file of ours counts. */
  read(): Buffer | undefined {
    try {
      const fd = openSync(this.#file, "r");
      try {
        if (fstatSync(fd).uid !== process.geteuid?.()) return undefined;
        const kept = readFileSync(fd);
        this.#runs = kept.at(-1) ?? 0;
        return kept.subarray(0, -1);
      } finally {
        closeSync(fd);
      }
    } catch {
      return undefined;
    }
  }

  /** Keeps what is compiled by now, after the first runs and after one that V8 could not use the old for. */
  write(script: Script): void {
    const runs = script.cachedDataRejected === true ? 0 : this.#runs;
    if (runs >= lessons(performance.now())) return;
    try {
      this.#removeOld();
      this.#replace(Buffer.concat([script.createCachedData(), Buffer.of(runs + 1)]));
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
