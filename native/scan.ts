import { createHash, type Hash } from "node:crypto";
import { DirStack } from "./dir-stack.ts";
import type { Dir } from "./path.ts";
import { decodePath } from "./pathname.ts";
import { addressOf, call, statxAt } from "./syscall.ts";

const SYS_getdents64 = process.arch === "arm64" ? 61 : 217;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EMPTY_PATH = 0x1000;
const STATX_BASIC = 0x7ff;
const DT_UNKNOWN = 0;
const DT_DIR = 4;
/** What of a struct statx says something: the rest is overwritten by the next one. */
const slotSize = 0x90;
const slotCount = 1024;
const statxSize = 256;
/** Offsets in struct statx, in units of 4 bytes, of what says nothing about a file's content: blocks, atime. */
const volatileWords = [12, 13, 16, 17, 18] as const;
const ctimeSeconds = 24;

/** What a tree looks like from outside its files. */
export interface TreeFingerprint {
  /** Hex sha256 over the name, inode, type, mode, owner, size, mtime and ctime of every entry. */
  readonly digest: string;
  /** The latest ctime, in whole seconds since the epoch: what changed just now may change again unseen. */
  readonly newest: number;
}

/**
 * Fingerprint of everything below a directory, without opening a file: two equal ones mean that nothing changed between
 * them. Directories for which `skip` is true (path from the start, no leading slash) count by their name alone.
 * Costs one system call an entry and no object: a fifth of the time of a walk that makes Stat objects.
 * undefined where the file system does not tell the types of entries. @throws SyscallError
 */
export function fingerprintTree(dir: Dir, skip: (path: string) => boolean): TreeFingerprint | undefined {
  const scan = new Scan(skip);
  using start = dir.openDir(".");
  scan.self(start);
  scan.tree(start);
  return scan.end();
}

class Scan {
  readonly #skip: (path: string) => boolean;
  readonly #hash: Hash = createHash("sha256");
  readonly #list = Buffer.alloc(64 << 10);
  readonly #listAt: number = Number(addressOf(this.#list));
  readonly #slots = Buffer.alloc(slotSize * slotCount + statxSize);
  readonly #slotsAt: number = Number(addressOf(this.#slots));
  readonly #words = new Uint32Array(this.#slots.buffer, this.#slots.byteOffset, this.#slots.length / 4);
  #newest = 0;
  #typed = true;

  constructor(skip: (path: string) => boolean) {
    this.#skip = skip;
  }

  end(): TreeFingerprint | undefined {
    if (!this.#typed) return undefined;
    return { digest: this.#hash.digest("hex"), newest: this.#newest };
  }

  /** The directory itself: its times tell of entries that come and go. */
  self(dir: Dir): void {
    const empty = Buffer.of(0);
    statxAt(dir.fd, Number(addressOf(empty)), AT_EMPTY_PATH, STATX_BASIC, this.#slotsAt);
    this.#forget(0);
    this.#flush(1);
  }

  /** All below a directory, parents first. */
  tree(start: Dir): void {
    using dirs = new DirStack(start);
    const levels = [this.#directory(start, "")];
    for (let below = levels.at(-1); below !== undefined; below = levels.at(-1)) {
      const next = below.pop();
      if (next !== undefined) {
        levels.push(this.#directory(dirs.push(next.name), next.path));
        continue;
      }
      levels.pop();
      if (levels.length > 0) dirs.pop();
    }
  }

  /** Its directories, last first. */
  #directory(dir: Dir, path: string): { readonly name: string; readonly path: string }[] {
    const below: { readonly name: string; readonly path: string }[] = [];
    for (;;) {
      const length = call("getdents64", undefined, SYS_getdents64, dir.fd, this.#list, this.#list.length);
      if (length === 0) break;
      this.#hash.update(this.#list.subarray(0, length));
      this.#entries(dir, length, (name) => {
        const child = path === "" ? name : `${path}/${name}`;
        if (this.#skip(child)) return false;
        below.push({ name, path: child });
        return true;
      });
    }
    this.#hash.update(`${below.length}\0`);
    return below.toReversed();
  }

  /** Reads the attributes of the entries in the list, straight from it into the slots. */
  #entries(dir: Dir, length: number, enter: (name: string) => boolean): void {
    const list = this.#list;
    let slot = 0;
    for (let at = 0; at < length; at += (list[at + 16] ?? 0) | ((list[at + 17] ?? 0) << 8)) {
      const name = at + 19;
      if (isDots(list, name)) continue;
      if (list[at + 18] === DT_UNKNOWN) this.#typed = false;
      if (list[at + 18] === DT_DIR && !enter(decodePath(list.subarray(name, list.indexOf(0, name))))) continue;
      const target = this.#slotsAt + slot * slotSize;
      statxAt(dir.fd, this.#listAt + name, AT_SYMLINK_NOFOLLOW, STATX_BASIC, target);
      this.#forget(slot++);
      if (slot === slotCount) slot = this.#flush(slot);
    }
    this.#flush(slot);
  }

  #forget(slot: number): void {
    const words = this.#words;
    const at = slot * (slotSize / 4);
    for (const word of volatileWords) words[at + word] = 0;
    this.#newest = Math.max(this.#newest, words[at + ctimeSeconds] ?? 0);
  }

  #flush(slots: number): number {
    this.#hash.update(this.#slots.subarray(0, slots * slotSize));
    return 0;
  }
}

/** `.` and `..` */
function isDots(list: Buffer, name: number): boolean {
  if (list[name] !== 0x2e) return false;
  return list[name + 1] === 0 || (list[name + 1] === 0x2e && list[name + 2] === 0);
}
