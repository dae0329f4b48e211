import { createReadStream, existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { mkdir, open, rename, rm, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isAt, lockOpen, tryLockExisting } from "../../native/lock.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { freeBytes } from "../open-error.ts";
import type { Ingest } from "./store.ts";
import { Verifier } from "./verify.ts";

const readSize = 1 << 20;
/** A download that nobody went on with for so long is not gone on with, in milliseconds. */
const longestPause = 7 * 24 * 3_600_000;

/** A file that a download goes to, open; who has it open has it locked. */
interface PartialFile {
  readonly file: string;
  readonly handle: FileHandle;
  /** Whether a later pull finds it. */
  readonly resumable: boolean;
}

/** The file of that name, which an earlier pull may have left; while another process is at it, a new one in `scratch`. */
export async function openPartial(directory: string, name: string, scratch: string): Promise<PartialFile> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, name);
  for (;;) {
    const handle = await open(file, "a+", 0o600);
    const isOurs = lockOpen(handle.fd);
    // Its last owner may have moved it to its place just now.
    if (isOurs && isAt(file, handle.fd)) return { file, handle, resumable: true };
    await handle.close();
    if (isOurs) continue;
    const own = join(scratch, `${name}-${Math.random().toString(36).slice(2)}`);
    return { file: own, handle: await open(own, "ax+", 0o600), resumable: false };
  }
}

/** Fewer free bytes than this, and no download is kept to be gone on with. */
const littleSpace = 64 << 20;

/** Removes partial downloads that nobody is at and that were left long ago; all of them where space is short. */
export function sweepOldPartials(root: string): void {
  const directory = join(root, "ingest");
  if (!existsSync(directory)) return;
  const names = readdirSync(directory);
  if (names.length > 0) sweepPartials(root, freeBytes(root) < littleSpace ? "all" : "old");
}

/** Removes partial downloads that nobody is at: all, or those that were left long ago. Returns their bytes. */
export function sweepPartials(root: string, which: "all" | "old"): number {
  const directory = join(root, "ingest");
  if (!existsSync(directory)) return 0;
  let bytes = 0;
  for (const name of readdirSync(directory)) {
    const file = join(directory, name);
    const found = statSync(file, { throwIfNoEntry: false });
    if (found === undefined || (which === "old" && Date.now() - found.mtimeMs < longestPause)) continue;
    if (removeFree(file)) bytes += found.size;
  }
  return bytes;
}

function removeFree(file: string): boolean {
  try {
    using held = tryLockExisting(file);
    if (held === undefined || !isAt(file, held.fd)) return false;
    rmSync(file);
    return true;
  } catch {
    return false; // its owner was faster, or the next one tries again
  }
}

/** Gives a file that was flushed its name for good. */
export async function putInPlace(file: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  await rename(file, target);
  await syncPath(dirname(target));
}

/** A blob in writing: a file that grows, hashed as it does, and takes its place at the end. */
export class LocalIngest implements Ingest {
  readonly #file: string;
  readonly #target: string;
  readonly #handle: FileHandle;
  readonly #resumable: boolean;
  readonly #verifier: Verifier;
  #offset: number;
  #open = true;

  private constructor(init: {
    readonly file: string;
    readonly target: string;
    readonly handle: FileHandle;
    readonly resumable: boolean;
    readonly verifier: Verifier;
    readonly offset: number;
  }) {
    this.#file = init.file;
    this.#target = init.target;
    this.#handle = init.handle;
    this.#resumable = init.resumable;
    this.#verifier = init.verifier;
    this.#offset = init.offset;
  }

  static async open(init: PartialFile & { readonly desc: Descriptor; readonly target: string }): Promise<LocalIngest> {
    const { desc, file, handle } = init;
    const verifier = new Verifier(desc);
    const { size } = await handle.stat();
    let offset = size;
    if (size > desc.size) {
      await handle.truncate(0);
      offset = 0;
    }
    // What is there already is hashed again: the verdict at the end is about all of it.
    if (offset > 0)
      for await (const chunk of createReadStream(file, { highWaterMark: readSize })) verifier.update(chunk);
    return new LocalIngest({ ...init, verifier, offset });
  }

  get offset(): number {
    return this.#offset;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#verifier.update(bytes);
    try {
      await this.#handle.appendFile(bytes);
    } catch (error) {
      // What lies here is in the way of whoever makes room.
      if (isFull(error)) await this.discard();
      throw error;
    }
    this.#offset += bytes.byteLength;
  }

  async commit(): Promise<void> {
    try {
      this.#verifier.finish();
    } catch (error) {
      await this.discard();
      throw error;
    }
    await this.#handle.sync();
    await putInPlace(this.#file, this.#target);
    await this.#close();
  }

  async discard(): Promise<void> {
    if (this.#open) await rm(this.#file, { force: true });
    await this.#close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A file of its own beside another process's cannot be found again: it is no resume. Neither is an empty one.
    if (this.#open && (this.#offset === 0 || !this.#resumable)) await rm(this.#file, { force: true });
    await this.#close();
  }

  /** The lock goes with the descriptor. */
  async #close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#handle.close();
  }
}

/** Flushes a file or a directory. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isFull(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT");
}
