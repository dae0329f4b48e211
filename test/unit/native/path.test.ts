import {
  constants,
  closeSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { SyscallError } from "../../../native/errors.ts";
import { Root, type Dir } from "../../../native/path.ts";
import { makeTemp } from "../../rig/temp.ts";

const errno = (name: string): unknown => expect.objectContaining({ errno: name });

test("Dir.stat() agrees with lstat for files, directories, symlinks and fifos", () => {
  using temp = makeTemp();
  using dir = Root.open(temp.path);
  writeFileSync(join(temp.path, "file"), "12345", { mode: 0o640 });
  dir.mkdir("directory", 0o700);
  dir.chmod("directory", 0o2751);
  dir.symlink("/nowhere", "symlink");
  dir.mknod("fifo", "fifo", 0o600, 0, 0);
  for (const name of ["file", "directory", "symlink", "fifo"]) {
    const theirs = lstatSync(join(temp.path, name), { bigint: true });
    expect(dir.stat(name)).toMatchObject({
      type: name,
      mode: Number(theirs.mode & 0o7777n),
      uid: Number(theirs.uid),
      gid: Number(theirs.gid),
      size: Number(theirs.size),
      nlink: Number(theirs.nlink),
      ino: theirs.ino,
      mtime: theirs.mtimeNs,
      ctime: theirs.ctimeNs,
    });
  }
  expect(dir.stat("missing")).toBeUndefined();
  expect(dir.names().toSorted()).toEqual(["directory", "fifo", "file", "symlink"]);
});

test("Dir refuses a name with a slash, dot-dot and an empty one", () => {
  using temp = makeTemp();
  using dir = Root.open(temp.path);
  for (const name of ["a/b", "/", "..", ""]) {
    expect(() => dir.stat(name)).toThrow(RangeError);
    expect(() => dir.getxattr(name, "user.x")).toThrow(RangeError);
  }
});

test("Dir does not follow a symlink when it opens, changes mode or removes", () => {
  using temp = makeTemp();
  mkdirSync(join(temp.path, "target"), { mode: 0o755 });
  symlinkSync("target", join(temp.path, "link"));
  using dir = Root.open(temp.path);
  expect(() => dir.openDir("link")).toThrow(SyscallError);
  expect(() => dir.openFile("link", constants.O_RDONLY)).toThrow(errno("ELOOP"));
  expect(() => dir.chmod("link", 0o700)).toThrow(errno("ENOTSUP"));
  dir.removeTree("link");
  expect(dir.names()).toEqual(["target"]);
});

test("Dir keeps names that are not UTF-8, their links and renames", () => {
  using temp = makeTemp();
  using dir = Root.open(temp.path);
  const raw = "caf\udce9\udcff";
  closeSync(dir.openFile(raw, constants.O_WRONLY | constants.O_CREAT, 0o600));
  dir.link(dir, raw, "two");
  dir.symlink(raw, "three");
  expect(dir.readlink("three")).toBe(raw);
  expect(dir.stat(raw)?.nlink).toBe(2);
  dir.rename(raw, dir, `${raw}2`);
  expect(new Set(dir.names())).toEqual(new Set([`${raw}2`, "two", "three"]));
  expect(readdirSync(temp.path, { encoding: "buffer" }).some((name) => name.includes(0xe9))).toBe(true);
  dir.removeTree(`${raw}2`);
  expect(dir.stat(`${raw}2`)).toBeUndefined();
});

test("Dir.utimens() sets times before 1970 and past 2106 to the nanosecond", () => {
  using temp = makeTemp();
  using dir = Root.open(temp.path);
  dir.symlink("x", "s");
  for (const time of [0n, -1n, -1_500_000_000n, 1_700_000_000_123_456_789n, 4_300_000_000_000_000_001n]) {
    dir.utimens("s", time);
    expect(dir.stat("s")?.mtime).toBe(time);
  }
});

test("Dir.removeTree() removes trees deeper than PATH_MAX and the open files a process may have", () => {
  using temp = makeTemp();
  using top = Root.open(temp.path);
  let dir: Dir = top;
  for (let i = 0; i < 450; i++) {
    dir.mkdir("directory-on-the-way", i % 100 === 99 ? 0 : 0o700);
    closeSync(dir.openFile("file", constants.O_WRONLY | constants.O_CREAT, 0o600));
    const next = dir.openDir("directory-on-the-way");
    if (dir !== top) dir[Symbol.dispose]();
    dir = next;
  }
  dir[Symbol.dispose]();
  const before = readdirSync("/proc/self/fd").length;
  top.removeTree("directory-on-the-way");
  expect(top.names()).toEqual(["file"]);
  expect(readdirSync("/proc/self/fd").length).toBe(before);
  top.removeTree("directory-on-the-way");
});

test("Dir.removeTree() of two threads at once removes what is there, and neither fails", async () => {
  using temp = makeTemp();
  const directories = Array.from({ length: 300 }, (_, at) => join(temp.path, `all/${at}/in`));
  for (const directory of directories) {
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, "file"), "");
  }
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const script = `
    const { workerData: { gate, top, native } } = require("node:worker_threads");
    import(native).then(({ Root }) => {
      using root = Root.open(top);
      Atomics.store(gate, 0, 1);
      Atomics.notify(gate, 0);
      root.removeTree("all");
    });`;
  const native = new URL("../../../native/path.ts", import.meta.url).href;
  const worker = new Worker(script, { eval: true, workerData: { gate, top: temp.path, native } });
  const ended = new Promise((resolve, reject) => void worker.on("exit", resolve).on("error", reject));
  await Atomics.waitAsync(gate, 0, 0).value;
  using root = Root.open(temp.path);
  root.removeTree("all");
  expect(await ended).toBe(0);
  expect(root.names()).toEqual([]);
});

test("Root keeps absolute symlinks and dot-dot inside", () => {
  using temp = makeTemp();
  using root = Root.open(temp.path);
  mkdirSync(join(temp.path, "etc/deep"), { recursive: true });
  root.symlink("/etc", "abs");
  root.symlink("../../../../../etc", "up");
  for (const way of ["abs", "up", "/abs/../up", "../../abs"]) {
    const fd = root.open(`${way}/deep/f`, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC, 0o600);
    writeSync(fd, way);
    closeSync(fd);
    expect(readFileSync(join(temp.path, "etc/deep/f"), "utf8")).toBe(way);
  }
  const { dir, name } = root.parent("/abs/deep/f");
  using held = dir;
  expect(held.stat(name)?.type).toBe("file");
});

test("Root.beneath() follows what stays inside, and refuses what leads out", () => {
  using temp = makeTemp();
  mkdirSync(join(temp.path, "root/a/b"), { recursive: true });
  mkdirSync(join(temp.path, "outside"));
  using root = Root.open(join(temp.path, "root"));
  for (const [name, target] of [
    ["in", "a/b"],
    ["round", "a/../a/b"],
    ["up", "../outside"],
    ["absolute", "/etc"],
    ["loop", "loop"],
  ] as const)
    root.symlink(target, name);
  for (const path of ["a/b", "in", "round", "a/../in", "."]) root.beneath(path)[Symbol.dispose]();
  for (const [path, name] of [
    ["up", "EXDEV"],
    ["absolute", "EXDEV"],
    ["/a", "EXDEV"],
    ["a/../../root/a", "EXDEV"],
    ["loop", "ELOOP"],
    ["missing", "ENOENT"],
  ] as const)
    expect(() => root.beneath(path)).toThrow(errno(name));
});

test("Root.straight() opens what real directories lead to, and nothing else", () => {
  using temp = makeTemp();
  mkdirSync(join(temp.path, "root/a/b"), { recursive: true });
  writeFileSync(join(temp.path, "root/a/file"), "");
  using root = Root.open(join(temp.path, "root"));
  for (const [at, target] of ["a", "a/b", ".", "..", "/", "link5"].entries()) root.symlink(target, `link${at}`);
  for (const path of ["", "a", "a/b"]) {
    using dir = root.straight(path);
    expect(dir?.statSelf().ino).toBe(lstatSync(join(temp.path, "root", path), { bigint: true }).ino);
  }
  const links = root.names().filter((name) => name !== "a");
  expect(links).toHaveLength(6);
  for (const path of [...links, ...links.map((name) => `${name}/b`), "a/file", "a/file/b", "missing", "a/missing/b"])
    expect(root.straight(path)).toBeUndefined();
  for (const path of ["..", "a/../..", "/a"]) expect(() => root.straight(path)).toThrow(errno("EXDEV"));
});

test("Root refuses magic links", () => {
  using root = Root.open("/");
  expect(() => root.open("/proc/self/root/etc", constants.O_RDONLY)).toThrow(errno("ELOOP"));
});

test("xattrs hold binary values, are listed, and a symlink's are its own", () => {
  using temp = makeTemp();
  writeFileSync(join(temp.path, "file"), "");
  using dir = Root.open(temp.path);
  const value = Buffer.from([0, 1, 0xff, 0]);
  dir.setxattr("file", "user.bytes", value);
  dir.setxattr("file", "user.empty", Buffer.alloc(0));
  dir.symlink("file", "link");
  expect(dir.listxattr("file").toSorted()).toEqual(["user.bytes", "user.empty"]);
  expect(dir.getxattr("file", "user.bytes")).toEqual(value);
  expect(dir.getxattr("file", "user.empty")).toEqual(Buffer.alloc(0));
  expect(dir.listxattr("link")).toEqual([]);
  expect(dir.getxattr("link", "user.bytes")).toBeUndefined();
  dir.removexattr("file", "user.bytes");
  expect(dir.getxattr("file", "user.bytes")).toBeUndefined();
});
