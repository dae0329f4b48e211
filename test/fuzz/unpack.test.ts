import * as fs from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TsbuildError } from "../../native/errors.ts";
import { openOverlay } from "../../native/mount.ts";
import { Root } from "../../native/path.ts";
import { settleLayer } from "../../store/layer/settle.ts";
import { unpackLayer } from "../../store/layer/unpack.ts";
import { makeTemp } from "../rig/temp.ts";
import { listing } from "./layers/listing.ts";
import { budget } from "./rig/budget.ts";
import { entryLists, toTar, type Entry } from "./unpack/entries.ts";
import {
  applyArchive,
  applyLayer,
  directory,
  isDirectory,
  Refused,
  type Directory,
  type Inode,
} from "./unpack/model.ts";

const outside = [
  "../canary/file",
  "/../canary",
  "../../canary/dir",
  "a/../../canary/file",
  "/etc/passwd",
  "/proc/self/root",
];

function makeCanaries(parent: string): void {
  fs.mkdirSync(join(parent, "canary/dir"), { recursive: true });
  fs.writeFileSync(join(parent, "canary/file"), "canary");
  fs.writeFileSync(join(parent, "canary/suid"), "canary");
  fs.chmodSync(join(parent, "canary/suid"), 0o4755);
  fs.symlinkSync("file", join(parent, "canary/link"));
}

/** Inodes with owner, mode, times to the nanosecond and number of links. */
function canaries(parent: string): readonly string[] {
  return ["", "dir", "file", "suid", "link"].map((name) => {
    const { ino, mode, uid, gid, nlink, mtimeNs, ctimeNs } = fs.lstatSync(join(parent, "canary", name), {
      bigint: true,
    });
    return [name, ino, mode, uid, gid, nlink, mtimeNs, ctimeNs].join(" ");
  });
}

/** The layer below: directories, files and symlinks by the names that archives use. */
function makeBelow(path: string): void {
  fs.mkdirSync(join(path, "a/b/c"), { recursive: true, mode: 0o755 });
  fs.chmodSync(join(path, "a"), 0o1777);
  fs.chownSync(join(path, "a/b"), 7, 8);
  fs.writeFileSync(join(path, "a/b/c/b"), "below");
  fs.writeFileSync(join(path, "a/c"), "below");
  fs.writeFileSync(join(path, "b"), "below");
  fs.symlinkSync("/../canary", join(path, "l"));
  fs.symlinkSync("a/b", join(path, "c"));
}

/** A directory of the disk as the model has it. */
function read(path: string): Directory {
  const { mode, uid, gid } = fs.statSync(path);
  const made = directory(false, mode & 0o7777, `${uid}:${gid}`);
  for (const name of fs.readdirSync(path)) {
    const stat = fs.lstatSync(join(path, name));
    if (stat.isDirectory()) made.children.set(name, read(join(path, name)));
    else {
      const kind = stat.isSymbolicLink() ? "symlink" : "file";
      const content =
        kind === "symlink" ? fs.readlinkSync(join(path, name)) : fs.readFileSync(join(path, name), "utf8");
      const inode = { kind, mode: stat.mode & 0o7777, owner: `${stat.uid}:${stat.gid}`, content, xattrs: [] };
      made.children.set(name, { inode, own: false });
    }
  }
  return made;
}

function modelLines(root: Directory, path: string = "", inodes: Map<Inode, string> = new Map()): readonly string[] {
  const names = [...root.children.keys()].toSorted();
  return names.flatMap((name) => {
    const at = path === "" ? name : `${path}/${name}`;
    const node = root.children.get(name);
    if (isDirectory(node)) {
      const line = `${at}: directory ${node.owner} ${node.mode.toString(8)} ${node.xattrs.join(" ")}`;
      return [line, ...modelLines(node, at, inodes)];
    }
    if (node === undefined) return [];
    const first = inodes.get(node.inode) ?? at;
    inodes.set(node.inode, first);
    const { kind, owner, mode, content, xattrs } = node.inode;
    return [
      `${at}: ${kind} ${owner} ${mode.toString(8)} ${content} ${xattrs.join(" ")} ${first === at ? "" : `= ${first}`}`,
    ];
  });
}

function diskLines(root: string, path: string = "", inodes: Map<string, string> = new Map()): readonly string[] {
  using dir = Root.open(`${root}/${path}`);
  return fs
    .readdirSync(`${root}/${path}`)
    .toSorted()
    .flatMap((name) => {
      const at = path === "" ? name : `${path}/${name}`;
      const stat = fs.lstatSync(`${root}/${at}`);
      const mode = (stat.mode & 0o7777).toString(8);
      const owner = `${stat.uid}:${stat.gid}`;
      const keys =
        stat.isFile() || stat.isDirectory() ? dir.listxattr(name).filter((key) => !key.includes("overlay.opaque")) : [];
      const xattrs = keys.map((key) => `${key}=${dir.getxattr(name, key)?.toString("hex")}`).join(" ");
      if (stat.isDirectory()) return [`${at}: directory ${owner} ${mode} ${xattrs}`, ...diskLines(root, at, inodes)];
      const inode = `${stat.dev}:${stat.ino}`;
      const first = inodes.get(inode) ?? at;
      inodes.set(inode, first);
      const kind = stat.isSymbolicLink() ? "symlink" : stat.isFile() ? "file" : stat.isFIFO() ? "fifo" : "char";
      const content =
        kind === "symlink"
          ? fs.readlinkSync(`${root}/${at}`)
          : kind === "file"
            ? fs.readFileSync(`${root}/${at}`, "utf8")
            : kind === "char"
              ? String(stat.rdev >> 8)
              : "";
      return [`${at}: ${kind} ${owner} ${mode} ${content} ${xattrs} ${first === at ? "" : `= ${first}`}`];
    });
}

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** The error of an act; undefined when it went well. */
async function errorOf(act: () => Promise<unknown>): Promise<unknown> {
  return await act().then(
    () => undefined,
    (error: unknown) => error,
  );
}

function modelError(act: () => void): boolean {
  try {
    act();
    return false;
  } catch (error) {
    if (error instanceof Refused) return true;
    throw error;
  }
}

async function checkLayer(entries: readonly Entry[]): Promise<void> {
  using temp = makeTemp();
  const [below, upper] = [join(temp.path, "below"), join(temp.path, "upper")];
  for (const one of [below, upper]) fs.mkdirSync(one, { mode: 0o755 });
  makeBelow(below);
  makeCanaries(temp.path);
  const before = [...canaries(temp.path), ...listing(below)];
  const model = read(below);
  const refused = modelError(() => applyLayer(model, entries));
  const error = await errorOf(async () => {
    using stack = new DisposableStack();
    const root = stack.use(Root.open(upper));
    const { unsettled } = await unpackLayer(once(toTar(entries)), root, { form: "overlay" });
    settleLayer(root, [stack.use(Root.open(below))], unsettled);
  });
  expect([...canaries(temp.path), ...listing(below)]).toEqual(before);
  expect(error === undefined || error instanceof TsbuildError).toBe(true);
  expect(error !== undefined).toBe(refused);
  if (refused) return;
  using merged = openOverlay({ lower: [upper, below] });
  expect(diskLines(`/proc/self/fd/${merged.fd}`)).toEqual(modelLines(model));
}

async function checkArchive(entries: readonly Entry[]): Promise<void> {
  using temp = makeTemp();
  const target = join(temp.path, "target");
  fs.mkdirSync(target);
  makeBelow(target);
  makeCanaries(temp.path);
  const before = canaries(temp.path);
  const model = read(target);
  const refused = modelError(() => applyArchive(model, entries));
  const error = await errorOf(async () => {
    using root = Root.open(target);
    await unpackLayer(once(toTar(entries)), root, { form: "literal" });
  });
  expect(canaries(temp.path)).toEqual(before);
  expect(error === undefined || error instanceof TsbuildError).toBe(true);
  expect(error !== undefined).toBe(refused);
  if (!refused) expect(diskLines(target)).toEqual(modelLines(model));
}

describe("unpackLayer() of hostile archives touches nothing outside of its root, and gives what a model gives", () => {
  it("as a layer over others", async () => {
    await fc.assert(fc.asyncProperty(entryLists(outside), checkLayer), budget(500));
  });

  it("as an archive of ADD over files", async () => {
    await fc.assert(fc.asyncProperty(entryLists(outside), checkArchive), budget(500));
  });
});
