import { truncateFd } from "../../native/copy-bytes.ts";
import { setFdTime } from "../../native/file.ts";
import { creationMode, setOwnership, type CreationDefaults, type Ownership } from "../../native/new-file.ts";
import type { Dir } from "../../native/path.ts";
import { closeFd, seekFd, writeFd } from "../../native/syscall.ts";
import type { EntryStat } from "./change.ts";
import type { TarEntry } from "./tar/reader.ts";

/** The open directory of an entry, and what new files get there. */
export interface Parent {
  readonly dir: Dir;
  readonly defaults: CreationDefaults;
}

/** Fewer zeros than these are written. */
const leastHole = 64 << 10;
const zeros = Buffer.alloc(1 << 20);

function isZero(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.byteLength; at += zeros.length) {
    const part = bytes.subarray(at, at + zeros.length);
    if (zeros.compare(part, 0, part.byteLength, 0, part.byteLength) !== 0) return false;
  }
  return true;
}

/** A file of an archive while it is written; the pieces of a sparse one are put in their places. */
export class EntryFile implements Disposable {
  readonly dir: Dir;
  readonly name: string;
  readonly stat: EntryStat;
  readonly #defaults: CreationDefaults;
  readonly #fd: number;
  readonly #pieces: TarEntry["sparse"];
  /** The piece that is being written, and how much of it is there; without pieces how much of the file. */
  #piece = 0;
  #written = 0;
  /** Zeros after that, which nobody has to write. */
  #zeros = 0;
  #open = true;

  private constructor(parent: Parent, name: string, entry: TarEntry, fd: number) {
    this.dir = parent.dir;
    this.name = name;
    this.stat = entry.stat;
    this.#defaults = parent.defaults;
    this.#fd = fd;
    this.#pieces = entry.sparse;
  }

  /** Makes the file; undefined where something has its name. */
  static create(parent: Parent, name: string, entry: TarEntry): EntryFile | undefined {
    const fd = parent.dir.tryCreate(name, creationMode(entry.stat.mode));
    if (fd === undefined) return undefined;
    const file = new EntryFile(parent, name, entry, fd);
    try {
      if (entry.sparse !== undefined) truncateFd(fd, entry.stat.size);
      return file;
    } catch (error) {
      file[Symbol.dispose]();
      throw error;
    }
  }

  write(bytes: Uint8Array): void {
    if (this.#pieces === undefined) return this.#append(bytes);
    let rest = bytes;
    while (rest.byteLength > 0) {
      const piece = this.#pieces[this.#piece];
      if (piece === undefined) return;
      const part = rest.subarray(0, piece.size - this.#written);
      if (part.byteLength > 0) {
        seekFd(this.#fd, piece.offset + this.#written);
        writeFd(this.#fd, part);
      }
      this.#written += part.byteLength;
      rest = rest.subarray(part.byteLength);
      if (this.#written < piece.size) continue;
      this.#piece++;
      this.#written = 0;
    }
  }

  /** Long runs of zeros become holes: the tar of a sparse file has them as they are. */
  #append(bytes: Uint8Array): void {
    if (bytes.byteLength >= leastHole && bytes[0] === 0 && isZero(bytes)) this.#zeros += bytes.byteLength;
    else {
      if (this.#zeros > 0) seekFd(this.#fd, this.#written + this.#zeros);
      writeFd(this.#fd, bytes);
      this.#written += this.#zeros + bytes.byteLength;
      this.#zeros = 0;
    }
  }

  /** Sets what it has beside its content, and closes it. */
  finish(wanted: Ownership, mtime: bigint): void {
    if (this.#zeros > 0) truncateFd(this.#fd, this.#written + this.#zeros);
    setOwnership(this.#fd, this.#defaults.of(this.#fd, creationMode(this.stat.mode)), wanted);
    setFdTime(this.#fd, mtime);
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    if (this.#open) closeFd(this.#fd);
    this.#open = false;
  }
}
