import { createHash, type Hash } from "node:crypto";
import { basename } from "node:path/posix";
import { digestOf, type Digest } from "../../../store/oci/digest.ts";
import type { Dir, Stat } from "../../../native/path.ts";
import { xattrs } from "./hash-file.ts";
import { parentInRoot } from "./resolve.ts";
import type { CopyFilter } from "./filter.ts";
import { findSources, missingSource, type Selection, type Source } from "./sources.ts";
import { walkTree, type SourceTree } from "./tree.ts";

/** Beyond this many entries a key keeps one digest per top directory, not one per file. */
const listed = 50_000;

/** A digest over all that a COPY reads, and what it was made from: `file <path>` -> `MODE CONTENT` or `dMODE ...`. */
export interface ContentDigest {
  readonly digest: Digest;
  readonly inputs: () => Readonly<Record<string, string>>;
}

/**
 * Digest of what the sources name: type, name, mode, owner, size, link target, device, xattrs and content of every
 * entry, but no times. Equal digests copy to equal trees. @see features C3
 * @throws E_COPY_NOT_FOUND
 */
export function contentDigest(tree: SourceTree, chosen: readonly Omit<Selection, "input">[]): ContentDigest {
  const total = createHash("sha256");
  const parts = new Map<string, string>();
  for (const { path, filter, required } of chosen) {
    total.update(`source /${path}\n`);
    let count = 0;
    for (const source of findSources(tree, path)) count += addSource({ tree, total, parts }, source, filter);
    if (required !== undefined && count === 0) throw missingSource(tree, required);
  }
  const digest = digestOf(total.digest());
  const { ignoreFile } = tree;
  let inputs: Readonly<Record<string, string>> | undefined;
  return {
    digest,
    inputs: () =>
      (inputs ??= {
        ...(parts.size > listed ? summary(parts) : Object.fromEntries(parts)),
        ...(ignoreFile === undefined ? {} : { "ignore file": ignoreFile }),
      }),
  };
}

interface Sink {
  readonly tree: SourceTree;
  readonly total: Hash;
  readonly parts: Map<string, string>;
}

/** Number of entries, not counting the source's own directory. */
function addSource(sink: Sink, source: Source, filter: CopyFilter): number {
  const { tree } = sink;
  if (source.stat.type === "directory") {
    using dir = tree.root.dir(source.resolved);
    addEntry(sink, { path: source.resolved, label: "", dir, name: ".", stat: source.stat });
    let count = 0;
    const start = { dir, path: source.resolved };
    for (const entry of walkTree(tree, start, filter)) {
      addEntry(sink, { ...entry, label: entry.relative });
      count++;
    }
    return count;
  }
  const found = parentInRoot(tree.root, source.resolved);
  if (found === undefined) return 0;
  using dir = found.dir;
  const { resolved: path, stat } = source;
  addEntry(sink, { path, label: basename(source.path), dir, name: found.name, stat });
  return 1;
}

function addEntry(
  sink: Sink,
  entry: {
    readonly path: string;
    readonly label: string;
    readonly dir: Dir;
    readonly name: string;
    readonly stat: Stat;
  },
): void {
  const { tree } = sink;
  const { path, label, dir, name, stat } = entry;
  const { uid, gid } = tree.owner ?? stat;
  const what =
    stat.type === "file"
      ? tree.hash({ path, dir, name, stat })
      : stat.type === "symlink"
        ? dir.readlink(name)
        : `${stat.devmajor}:${stat.devminor}`;
  const attributes = stat.type === "directory" && tree.owner === undefined ? xattrs(dir, name) : [];
  const line = JSON.stringify([stat.type, label, stat.mode, uid, gid, what, attributes]);
  sink.total.update(line);
  const mode = (stat.mode & 0o7777).toString(8);
  const owned = tree.owner === undefined ? ` ${uid}:${gid}` : "";
  if (stat.type !== "directory") sink.parts.set(`file ${path}`, `${mode} ${what.slice(0, 24)}${owned}`);
  else if (label !== "")
    sink.parts.set(
      `file ${path}`,
      `d${mode} ${attributes.length === 0 ? "" : digestOf(JSON.stringify(attributes)).slice(7, 23)}${owned}`,
    );
}

function summary(parts: ReadonlyMap<string, string>): Readonly<Record<string, string>> {
  const hashes = new Map<string, Hash>();
  for (const [name, value] of parts) {
    const top = name.slice("file ".length).split("/").slice(0, 2).join("/");
    const hash = hashes.get(top) ?? createHash("sha256");
    hashes.set(top, hash.update(`${name}\0${value}\n`));
  }
  return Object.fromEntries([...hashes].map(([top, hash]) => [`file ${top}`, `0 ${hash.digest("hex").slice(0, 32)}`]));
}
