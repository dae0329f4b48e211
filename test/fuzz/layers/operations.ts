import * as fs from "node:fs";
import fc from "fast-check";
import type { Root } from "../../../native/path.ts";

/** What a program in a container may do to its files; paths are relative to the root. */
export type Operation =
  | { readonly do: "write" | "append"; readonly path: string; readonly text: string }
  | { readonly do: "rewrite" | "touch" | "mkdir" | "unlink" | "remove" | "back"; readonly path: string }
  | { readonly do: "chmod"; readonly path: string; readonly mode: number }
  | { readonly do: "chown"; readonly path: string; readonly uid: number; readonly gid: number }
  | { readonly do: "time"; readonly path: string; readonly seconds: number }
  | { readonly do: "rename" | "link"; readonly path: string; readonly to: string }
  | { readonly do: "symlink"; readonly path: string; readonly target: string }
  | { readonly do: "node"; readonly path: string; readonly type: "char" | "block" | "fifo" }
  | { readonly do: "xattr"; readonly path: string; readonly key: string; readonly value: string | undefined };

const name = fc.constantFrom("a", "b", "c", "d e", "ü", "wh.a", "z".repeat(120));
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join("/"));
const id = fc.constantFrom(0, 1, 1000, 3_000_000, 4_294_967_294);
/** The capability cap_net_raw+ep as the kernel stores it. */
const capability = Buffer.from("0100000200200000000000000000000000000000", "hex").toString("latin1");

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom("write", "append"), path, text: fc.string({ maxLength: 9 }) }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("mkdir"), path }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("rewrite", "touch", "unlink", "remove", "back"), path }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("rename", "link"), path, to: path }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("chmod"),
      path,
      mode: fc.constantFrom(0o600, 0o644, 0o755, 0o4755, 0o2711, 0o1777, 0),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("chown"), path, uid: id, gid: id }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("time"),
      path,
      seconds: fc.constantFrom(0, -7, 1_000_000_000, 10_000_000_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("symlink"), path, target: fc.constantFrom("a", "../b", "/c", "none") }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("node"), path, type: fc.constantFrom("char", "block", "fifo") }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("xattr"),
      path,
      key: fc.constantFrom("user.a", "user.b", "trusted.t", "security.capability"),
      value: fc.option(fc.string({ maxLength: 5 }), { nil: undefined }),
    }),
  },
);

/** The steps of a build: what each does. The first makes the base. */
export const steps: fc.Arbitrary<readonly (readonly Operation[])[]> = fc.array(
  fc.array(operation, { minLength: 1, maxLength: 14 }),
  { minLength: 2, maxLength: 4 },
);

/** Does it as far as the kernel allows; what fails changes nothing. */
export function perform(root: Root, operations: readonly Operation[]): void {
  for (const one of operations) {
    try {
      performOne(root, one);
    } catch (error) {
      if (!(error instanceof Error && "code" in error)) throw error;
    }
  }
}

/** Symlinks stay inside the root, and none is followed at the end of a path. */
function performOne(root: Root, one: Operation): void {
  using stack = new DisposableStack();
  const at = (path: string): string => {
    const { dir, name: last } = root.parent(path);
    return `/proc/self/fd/${stack.use(dir).fd}/${last}`;
  };
  const file = at(one.path);
  const stat = fs.lstatSync(file, { throwIfNoEntry: false });
  const follows = ["write", "append", "rewrite", "touch", "chmod"].includes(one.do);
  if (follows && stat !== undefined && !stat.isFile() && !(stat.isDirectory() && one.do !== "rewrite")) return;
  switch (one.do) {
    case "write":
      return fs.writeFileSync(file, one.text);
    case "append":
      return fs.appendFileSync(file, one.text);
    case "rewrite": {
      const { atime, mtime } = fs.lstatSync(file);
      const text = fs.readFileSync(file);
      fs.writeFileSync(file, text);
      return fs.utimesSync(file, atime, mtime);
    }
    case "touch":
      return fs.utimesSync(file, new Date(), new Date());
    case "mkdir":
      return fs.mkdirSync(file);
    case "unlink":
      return fs.unlinkSync(file);
    case "remove":
      return fs.rmSync(file, { recursive: true });
    case "back":
      fs.renameSync(file, at("away"));
      return fs.renameSync(at("away"), file);
    case "chmod":
      return fs.chmodSync(file, one.mode);
    case "chown":
      return fs.lchownSync(file, one.uid, one.gid);
    case "time":
      return fs.lutimesSync(file, one.seconds, one.seconds);
    case "rename":
      return fs.renameSync(file, at(one.to));
    case "link":
      return fs.linkSync(file, at(one.to));
    case "symlink":
      return fs.symlinkSync(one.target, file);
    case "node":
    case "xattr":
      return performNative(root, one);
    default:
      return one satisfies never;
  }
}

function performNative(root: Root, one: Operation & { readonly do: "node" | "xattr" }): void {
  const { dir: opened, name: last } = root.parent(one.path);
  using dir = opened;
  if (one.do === "node") return dir.mknod(last, one.type, 0o640, 10, 300);
  if (one.value === undefined) return dir.removexattr(last, one.key);
  dir.setxattr(last, one.key, Buffer.from(one.key === "security.capability" ? capability : one.value, "latin1"));
}
