import { closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { maxDocument } from "./oci/json.ts";
import { chainID, asDiffID, isDigest, type Digest } from "./oci/digest.ts";

/** What a document leads to: blobs, and the stack of layers of a config. */
interface Links {
  readonly blobs: readonly Digest[];
  readonly chain: string | undefined;
}

const none: Links = { blobs: [], chain: undefined };

/**
 * Follows documents from blob to blob. They may be anybody's: a manifest, an index in an index, an artifact, something
 * that will be invented, or damaged. Whatever in one looks like a descriptor leads on, and nothing in it is an error.
 */
export class Reachable {
  readonly #path: (digest: Digest) => string;
  readonly #links = new Map<Digest, Links>();

  /** `path`: the file of a blob, whether or not it is there. */
  constructor(path: (digest: Digest) => string) {
    this.#path = path;
  }

  /** Adds to `found` all that these lead to, with themselves. What is there is read once; the rest may come meanwhile. */
  follow(from: Iterable<Digest>, found: { readonly blobs: Set<Digest>; readonly chains: Set<string> }): void {
    const waiting = [...from];
    for (let digest = waiting.pop(); digest !== undefined; digest = waiting.pop()) {
      if (found.blobs.has(digest)) continue;
      found.blobs.add(digest);
      const { blobs, chain } = this.#linksOf(digest);
      waiting.push(...blobs);
      if (chain !== undefined) found.chains.add(chain);
    }
  }

  #linksOf(digest: Digest): Links {
    const known = this.#links.get(digest);
    if (known !== undefined) return known;
    const blob = readBlob(this.#path(digest));
    if (blob === undefined) return none;
    const links = linksIn(blob.document);
    this.#links.set(digest, links);
    return links;
  }
}

/** undefined where nothing is that can be read whole. What is no document is a layer. */
function readBlob(path: string): { readonly document: unknown } | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(path, "r");
    const head = Buffer.alloc(64);
    const length = readSync(fd, head, 0, head.length, 0);
    const isDocument = /^\s*\{/.test(head.toString("latin1", 0, length)) && fstatSync(fd).size <= maxDocument;
    return { document: isDocument ? JSON.parse(readFileSync(fd, "utf8")) : undefined };
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function linksIn(document: unknown): Links {
  if (!isObject(document)) return none;
  const lists = [document["manifests"], document["layers"], document["blobs"], [document["config"]]];
  const blobs = lists.flatMap((list) => (Array.isArray(list) ? list.flatMap(digestIn) : []));
  return { blobs, chain: chainIn(document["rootfs"]) };
}

function chainIn(rootfs: unknown): string | undefined {
  const list = isObject(rootfs) ? rootfs["diff_ids"] : undefined;
  if (!Array.isArray(list)) return undefined;
  const diffs = list.flatMap((one: unknown) => (typeof one === "string" && isDigest(one) ? [asDiffID(one)] : []));
  return diffs.length === list.length ? chainID(diffs) : undefined;
}

function digestIn(descriptor: unknown): readonly Digest[] {
  const digest = isObject(descriptor) ? descriptor["digest"] : undefined;
  return typeof digest === "string" && isDigest(digest) ? [digest] : [];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
