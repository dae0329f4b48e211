import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { digestOf, isDigest, splitDigest, type Digest } from "./oci/digest.ts";
import { isUseOutdated, lastUseLimit } from "./last-use.ts";
import { replaceFile } from "./replace-file.ts";

/** What a URL gave when it was last asked. The bytes are a blob. */
export interface FetchedFile {
  readonly digest: Digest;
  readonly size: number;
  readonly etag?: string;
  /** As the server wrote it. */
  readonly lastModified?: string;
  /** Whether a change would have changed `lastModified`: it was old enough when the file came. */
  readonly settled?: boolean;
}

/** Remembers what URLs gave, by a hash of the URL: `urls/HASH.json`. A missing or damaged file is nothing known. */
export class FetchedFiles {
  readonly #directory: string;

  constructor(root: string) {
    this.#directory = join(root, "urls");
  }

  find(url: string): FetchedFile | undefined {
    const found = this.#read(nameOf(url));
    if (found !== undefined && isUseOutdated(found.used)) this.keep(url, found.file);
    return found?.file;
  }

  /** Atomic: readers see the old or the new. */
  keep(url: string, file: FetchedFile): void {
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    replaceFile(join(this.#directory, nameOf(url)), JSON.stringify({ ...file, used: Date.now() }));
  }

  /** The blobs that are known by a URL used within `unusedFor` (ms; default: ever); the others are forgotten. */
  collect(unusedFor: number | undefined): ReadonlySet<Digest> {
    const kept = new Set<Digest>();
    if (!existsSync(this.#directory)) return kept;
    const limit = unusedFor === undefined ? undefined : lastUseLimit(unusedFor);
    for (const name of readdirSync(this.#directory)) {
      const found = name.endsWith(".json") ? this.#read(name) : undefined;
      const old = found === undefined || (limit !== undefined && found.used <= limit);
      if (old) rmSync(join(this.#directory, name), { force: true });
      else kept.add(found.file.digest);
    }
    return kept;
  }

  #read(name: string): { readonly file: FetchedFile; readonly used: number } | undefined {
    try {
      return parse(JSON.parse(readFileSync(join(this.#directory, name), "utf8")));
    } catch {
      return undefined;
    }
  }
}

function nameOf(url: string): string {
  return `${splitDigest(digestOf(url)).hex}.json`;
}

function parse(value: unknown): { readonly file: FetchedFile; readonly used: number } | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { used, digest, size, etag, lastModified, settled }: Partial<Record<keyof FetchedFile | "used", unknown>> =
    value;
  if (typeof digest !== "string" || !isDigest(digest) || typeof size !== "number" || typeof used !== "number")
    return undefined;
  return {
    used,
    file: {
      digest,
      size,
      ...(typeof etag === "string" ? { etag } : {}),
      ...(typeof lastModified === "string" ? { lastModified } : {}),
      ...(settled === true ? { settled } : {}),
    },
  };
}
