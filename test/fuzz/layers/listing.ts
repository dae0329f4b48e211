import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { Root } from "../../../native/path.ts";
import { isLayerXattr } from "../../../store/layer/xattrs.ts";

/** What is at each path of a tree, as one line of text that two equal trees have in common. */
export type Listing = ReadonlyMap<string, string>;

/** How exact times are: those of a tar are whole seconds; of directories none is kept that nobody set. */
type Times = "seconds" | "nanoseconds";

/** Walks a tree without a word of our own code but for extended attributes. */
export function listing(directory: string, times: Times = "seconds"): Listing {
  const found = new Map<string, string>();
  const links = new Map<string, string>();
  const walk = (path: string): void => {
    using dir = Root.open(path === "" ? directory : `${directory}/${path}`);
    for (const name of fs.readdirSync(`${directory}/${path}`).toSorted()) {
      const at = path === "" ? name : `${path}/${name}`;
      const stat = fs.lstatSync(`${directory}/${at}`);
      // Layers carry no attributes of anything else.
      const xattrs = stat.isFile() || stat.isDirectory() ? xattrsOf(dir, name) : [];
      found.set(at, [describe(`${directory}/${at}`, times), ...xattrs].join(" ") + linkSuffix(stat, at, links));
      if (stat.isDirectory()) walk(at);
    }
  };
  walk("");
  return found;
}

/**
 * The lines by which a tree differs from the one it should be. What is linked there is linked here; here it may be
 * also where a program broke a link without changing a byte.
 */
export function differences(wanted: Listing, got: Listing): readonly string[] {
  const paths = new Set([...wanted.keys(), ...got.keys()]);
  return [...paths].flatMap((path) => {
    const [want, have] = [wanted, got].map((one) => withoutLink(one.get(path) ?? "-"));
    const first = linkOf(wanted, path);
    if (want === have && (first === path || linkOf(got, path) === linkOf(got, first))) return [];
    return [`${path}: ${wanted.get(path) ?? "-"} | ${got.get(path) ?? "-"}`];
  });
}

const link = / = (.*)$/;

function withoutLink(line: string): string {
  return line.replace(link, "");
}

/** The first path of the same file. */
function linkOf(tree: Listing, path: string): string {
  return link.exec(tree.get(path) ?? "")?.[1] ?? path;
}

function linkSuffix(stat: fs.Stats, path: string, links: Map<string, string>): string {
  if (stat.nlink < 2 || stat.isDirectory()) return "";
  const inode = `${stat.dev}:${stat.ino}`;
  const first = links.get(inode) ?? path;
  links.set(inode, first);
  return first === path ? "" : ` = ${first}`;
}

function describe(file: string, times: Times): string {
  const stat = fs.lstatSync(file, { bigint: true });
  const kind = Number(stat.mode >> 12n).toString(8);
  const owner = `${stat.uid}:${stat.gid}`;
  if (stat.isDirectory()) return `${kind} ${owner} ${Number(stat.mode & 0o7777n).toString(8)}`;
  // Floor, also of times before 1970.
  const seconds = BigInt(Math.floor(Number(stat.mtimeNs) / 1e9));
  const mtime = times === "nanoseconds" ? stat.mtimeNs : seconds;
  if (stat.isSymbolicLink()) return `${kind} ${owner} ${mtime} -> ${fs.readlinkSync(file)}`;
  const content = stat.isFile()
    ? createHash("sha256").update(fs.readFileSync(file)).digest("hex").slice(0, 16)
    : stat.rdev;
  return `${kind} ${owner} ${Number(stat.mode & 0o7777n).toString(8)} ${mtime} ${content}`;
}

function xattrsOf(dir: Root, name: string): readonly string[] {
  const keys = dir.listxattr(name).filter(isLayerXattr);
  return keys.toSorted().map((key) => `${key}=${dir.getxattr(name, key)?.toString("hex")}`);
}
