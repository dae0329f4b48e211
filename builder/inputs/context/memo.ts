import { createHash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { SyscallError } from "../../../native/errors.ts";
import type { Root } from "../../../native/path.ts";
import { fingerprintTree, type TreeFingerprint } from "../../../native/scan.ts";
import { isDigest, type Digest } from "../../../store/oci/digest.ts";
import { replaceFile } from "../../../store/replace-file.ts";

/** Requests remembered for one context. */
const maxEntries = 32;
/** Seconds: what changed less than this before may change again within the same tick of the clock. */
const racy = 2;

/** A digest of what was read below a directory. It holds while the directory's fingerprint is the same. */
interface Entry {
  /** Hash of what was asked for: paths, flags, the ignore file's text. */
  readonly request: string;
  /** Directories that the ignore file hides with all below: they do not count. */
  readonly hidden: readonly string[];
  readonly fingerprint: string;
  readonly digest: Digest;
}

/** What is to be digested: everything below `path` of a tree, in a way that `request` tells apart. */
export interface MemoRequest {
  readonly root: Root;
  readonly path: string;
  readonly request: string;
}

/**
 * Remembered digests of what builds read of their context: a build over unchanged files asks the kernel once for each
 * file's attributes and does nothing else. A missing or damaged file is an empty memory.
 */
export class ContextMemo {
  readonly #file: string;
  #entries: readonly Entry[] | undefined;

  /** `directory` holds the files of all contexts; `name` is that of this one. */
  constructor(directory: string, name: string) {
    this.#file = join(directory, `${name}.memo`);
  }

  /** The digest as it was computed before, when nothing changed since. */
  find(wanted: MemoRequest): Digest | undefined {
    const key = hash(wanted.request);
    const entry = this.#read().find(({ request }) => request === key);
    if (entry === undefined) return undefined;
    const seen = fingerprint(wanted, new Set(entry.hidden));
    return seen?.digest === entry.fingerprint ? entry.digest : undefined;
  }

  /**
   * Remembers a digest whose computing began at `began` (ms since the epoch) and did not look into the directories
   * `hidden`. What changed since shortly before that is not remembered: it may have been read before it changed.
   */
  keep(
    wanted: MemoRequest,
    made: { readonly digest: Digest; readonly hidden: ReadonlySet<string>; readonly began: number },
  ): void {
    const seen = fingerprint(wanted, made.hidden);
    if (seen === undefined || seen.newest + racy >= Math.floor(made.began / 1000)) return;
    const entry = {
      request: hash(wanted.request),
      hidden: [...made.hidden],
      fingerprint: seen.digest,
      digest: made.digest,
    };
    this.#entries = [entry, ...this.#read().filter(({ request }) => request !== entry.request)].slice(0, maxEntries);
    mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 });
    replaceFile(this.#file, JSON.stringify(this.#entries));
  }

  #read(): readonly Entry[] {
    this.#entries ??= readEntries(this.#file);
    return this.#entries;
  }
}

/** undefined: the tree changes while it is looked at, or cannot be looked at. */
function fingerprint({ root, path }: MemoRequest, hidden: ReadonlySet<string>): TreeFingerprint | undefined {
  const prefix = path === "" ? "" : `${path}/`;
  try {
    using dir = root.dir(path);
    return fingerprintTree(dir, (below) => hidden.has(`${prefix}${below}`));
  } catch (error) {
    if (error instanceof SyscallError) return undefined;
    throw error;
  }
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function readEntries(file: string): readonly Entry[] {
  try {
    const parsed: unknown = JSON.parse(readFileSync(file, "utf8"));
    return Array.isArray(parsed) ? parsed.filter(isEntry) : [];
  } catch {
    return [];
  }
}

function isEntry(value: unknown): value is Entry {
  if (typeof value !== "object" || value === null) return false;
  const { request, hidden, fingerprint: seen, digest }: Partial<Record<keyof Entry, unknown>> = value;
  return (
    typeof request === "string" &&
    Array.isArray(hidden) &&
    hidden.every((path) => typeof path === "string") &&
    typeof seen === "string" &&
    typeof digest === "string" &&
    isDigest(digest)
  );
}
