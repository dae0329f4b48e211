import { truncateFd } from "../../native/copy-bytes.ts";
import { setFileMetadata } from "../../native/file.ts";
import { openFlags, type Dir } from "../../native/path.ts";
import { closeFd, seekFd, writeFd } from "../../native/syscall.ts";
import type { EntryStat } from "./change.ts";
import type { TarEntry } from "./tar/reader.ts";

/** A file of an archive while it is written; the pieces of a sparse one are put in their places. */
export class EntryFile implements Disposable {
  readonly dir: Dir;
  readonly name: string;
  readonly stat: EntryStat;
  readonly #fd: number;
  readonly #pieces: TarEntry["sparse"];
  /** The piece that is being written, and how much of it is there. */
  #piece = 0;
  #written = 0;
  #open = true;

  /** Makes the file, which must not be there. */
  constructor(dir: Dir, name: string, entry: TarEntry) {
    this.dir = dir;
    this.name = name;
    this.stat = entry.stat;
    this.#fd = dir.openFile(name, openFlags.createNew, 0o600);
    this.#pieces = entry.sparse;
    if (entry.sparse !== undefined) truncateFd(this.#fd, entry.stat.size);
  }

  write(bytes: Uint8Array): void {
    if (this.#pieces === undefined) return writeFd(this.#fd, bytes);
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

  /** Sets what an open file has beside its content, and closes it. */
  finish(metadata: Parameters<typeof setFileMetadata>[1]): void {
    setFileMetadata(this.#fd, metadata);
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    if (this.#open) closeFd(this.#fd);
    this.#open = false;
  }
}
