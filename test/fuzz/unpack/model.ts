import type { Entry } from "./entries.ts";

/** A file of the model; names that are hard links of each other share it. */
export interface Inode {
  readonly kind: string;
  readonly mode: number;
  readonly owner: string;
  readonly content: string;
  readonly xattrs: readonly string[];
}

export interface Directory {
  mode: number;
  owner: string;
  xattrs: readonly string[];
  /** Whether the archive has it: itself or something in it. */
  own: boolean;
  /** No entry is about it, and it took no other entry's place: it is what it is below. */
  implied: boolean;
  /** It took the place of a file: what is below there does not show. */
  hides: boolean;
  readonly children: Map<string, Node>;
}

export type Node = { readonly inode: Inode; readonly own: boolean } | Directory;

/** The archive has to be refused. */
export class Refused extends Error {}

export function directory(own: boolean, mode: number = 0o755, owner: string = "0:0"): Directory {
  return { mode, owner, xattrs: [], own, implied: false, hides: false, children: new Map() };
}

export function isDirectory(node: Node | undefined): node is Directory {
  return node !== undefined && "children" in node;
}

/**
 * What is to become of a tree: entries in their order, whiteouts for what the archive itself does not have. A directory
 * without an entry is as it is below, once all whiteouts are done.
 */
export function applyLayer(root: Directory, entries: readonly Entry[]): void {
  const below = structuredClone(root);
  for (const entry of entries) {
    const parent: string[] = [];
    applyEntry(root, asRead(entry), (parts) => layerParent(root, parts, parent), true);
    hideInClone(below, parent, entry.path);
  }
  inherit(root, below);
}

/** `parent`: where the symlinks on the way to an entry led. */
function hideInClone(below: Directory, parent: readonly string[], path: string): void {
  const name = clean(path).pop() ?? "";
  let at: Node | undefined = below;
  for (const part of parent) at = isDirectory(at) ? at.children.get(part) : undefined;
  if (isDirectory(at) && name === ".wh..wh..opq") at.children.clear();
  else if (isDirectory(at) && name.startsWith(".wh.")) at.children.delete(name.slice(4));
}

function inherit(node: Directory, below: Directory | undefined): void {
  for (const [name, child] of node.children) {
    if (!isDirectory(child) || !child.own) continue;
    const found = child.hides ? undefined : below?.children.get(name);
    const same = isDirectory(found) ? found : undefined;
    if (child.implied) Object.assign(child, { mode: same?.mode ?? 0o755, owner: same?.owner ?? "0:0" });
    inherit(child, same);
  }
}

/** The same for ADD: whiteouts are names like others, symlinks on the way are followed inside the root. */
export function applyArchive(root: Directory, entries: readonly Entry[]): void {
  for (const entry of entries) applyEntry(root, asRead(entry), (parts) => followedParent(root, parts), false);
}

/** A file whose name ends with a slash is a directory, and has no content. */
function asRead(entry: Entry): Entry {
  if (entry.type !== "file" || !entry.path.endsWith("/")) return entry;
  if (entry.content !== "") throw new Refused();
  return { ...entry, type: "directory" };
}

function applyEntry(
  root: Directory,
  entry: Entry,
  parentOf: (parts: readonly string[]) => Directory,
  layer: boolean,
): void {
  const parts = clean(entry.path);
  const name = parts.pop();
  const link = entry.type === "symlink" || entry.type === "hardlink";
  const bad =
    entry.uid > 4_294_967_294 || (link && entry.linkname.includes("\0")) || entry.xattr?.includes("\0") === true;
  if (bad) throw new Refused();
  if (name === undefined) {
    if (layer && entry.type === "directory") Object.assign(root, { mode: entry.mode, owner: `${entry.uid}:5` });
    return;
  }
  const parent = parentOf(parts);
  if (layer && name.startsWith(".wh.")) return hide(parent, name.slice(4));
  const existing = parent.children.get(name);
  if (entry.type === "directory") {
    const before = isDirectory(existing) ? existing : { ...directory(true), hides: existing?.own === true };
    const xattrs = [...new Set([...(before.own || !layer ? before.xattrs : []), ...xattrsOf(entry)])];
    parent.children.set(name, {
      ...before,
      mode: entry.mode,
      owner: `${entry.uid}:5`,
      xattrs,
      own: true,
      implied: false,
    });
    return;
  }
  parent.children.delete(name);
  parent.children.set(name, { inode: inodeOf(root, entry, layer), own: true });
}

function inodeOf(root: Directory, entry: Entry, layer: boolean): Inode {
  const { type, mode, uid, linkname } = entry;
  if (type === "hardlink") return linkTarget(root, linkname, layer);
  // overlayfs takes it for a whiteout, whoever made it.
  if (type === "char" && entry.major === 0) throw new Refused();
  if (type === "symlink" && linkname === "") throw new Refused();
  const content =
    type === "symlink" ? linkname : type === "file" ? entry.content : type === "char" ? String(entry.major) : "";
  return {
    kind: type,
    mode: type === "symlink" ? 0o777 : mode,
    owner: `${uid}:5`,
    content,
    xattrs: type === "file" ? xattrsOf(entry) : [],
  };
}

function linkTarget(root: Directory, linkname: string, layer: boolean): Inode {
  const parts = clean(linkname);
  const name = parts.pop() ?? "";
  const at = resolve(root, parts, layer);
  const found = at?.children.get(name);
  if (found === undefined || isDirectory(found) || (layer && !found.own)) throw new Refused();
  return found.inode;
}

function xattrsOf({ xattr, type }: Entry): readonly string[] {
  const settable = type === "file" || type === "directory";
  return settable && xattr?.startsWith("user.") === true && !xattr.includes("overlay") ? [`${xattr}=79`] : [];
}

function clean(path: string): string[] {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.some((part) => part === ".." || part.includes("\0"))) throw new Refused();
  return parts;
}

/** Symlinks of the layer itself are followed, to what is not there too; others make room. `path`: where they led. */
function layerParent(root: Directory, parts: readonly string[], path: string[]): Directory {
  const rest = parts.toReversed();
  for (let links = 0, part = rest.pop(); part !== undefined; part = rest.pop()) {
    if (part === "" || part === ".") continue;
    if (part === "..") {
      path.pop();
      continue;
    }
    const node = nodeAt(root, [...path, part]);
    if (node === undefined || isDirectory(node) || !node.own || node.inode.kind !== "symlink") {
      path.push(part);
      continue;
    }
    if (++links > 40) throw new Refused();
    if (node.inode.content.startsWith("/")) path.splice(0);
    rest.push(...node.inode.content.split("/").toReversed());
  }
  return path.reduce(ownDirectory, root);
}

/** What this layer has there. */
function nodeAt(root: Directory, path: readonly string[]): Node | undefined {
  let at: Node | undefined = root;
  for (const part of path) at = isDirectory(at) ? at.children.get(part) : undefined;
  return at?.own === true ? at : undefined;
}

function ownDirectory(at: Directory, part: string): Directory {
  const found = at.children.get(part);
  const hides = found?.own === true;
  const next = isDirectory(found) ? found : { ...directory(true), hides, implied: !hides };
  if (!next.own) next.implied = true;
  next.own = true;
  at.children.set(part, next);
  return next;
}

function hide(parent: Directory, name: string): void {
  if (name === ".wh..opq") return prune(parent);
  if (name === "" || name === "." || name === "..") throw new Refused();
  if (name.startsWith(".wh.")) return;
  const found = parent.children.get(name);
  if (found === undefined) return;
  if (!found.own) parent.children.delete(name);
  else if (isDirectory(found)) prune(found);
}

/** Takes away what the archive does not have. */
function prune(at: Directory): void {
  for (const [name, node] of at.children) {
    if (!node.own) at.children.delete(name);
    else if (isDirectory(node)) prune(node);
  }
}

function followedParent(root: Directory, parts: readonly string[]): Directory {
  for (let count = parts.length; count >= 0; count--) {
    const start = resolve(root, parts.slice(0, count));
    if (start === undefined) continue;
    let at = start;
    for (const part of parts.slice(count)) {
      if (at.children.has(part)) throw new Refused();
      const made = directory(true);
      at.children.set(part, made);
      at = made;
    }
    return at;
  }
  throw new Refused();
}

/** The directory that a path leads to, as the kernel finds it with this root; `own`: among what the archive has. */
function resolve(root: Directory, parts: readonly string[], own: boolean = false): Directory | undefined {
  let at: Directory[] = [root];
  const rest = [...parts].toReversed();
  for (let links = 0, part = rest.pop(); part !== undefined; part = rest.pop()) {
    if (part === "" || part === ".") continue;
    if (part === "..") {
      at = at.length > 1 ? at.slice(0, -1) : at;
      continue;
    }
    const found = at.at(-1)?.children.get(part);
    if (own && found?.own === false) return undefined;
    if (isDirectory(found)) at.push(found);
    else if (found?.inode.kind !== "symlink") return undefined;
    else if (++links > 40) throw new Refused();
    else {
      if (found.inode.content.startsWith("/")) at = [root];
      rest.push(...found.inode.content.split("/").toReversed());
    }
  }
  return at.at(-1);
}
