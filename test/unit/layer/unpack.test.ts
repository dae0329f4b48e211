import * as fs from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Root } from "../../../native/path.ts";
import { diffLayer } from "../../../store/layer/diff.ts";
import { hashLayer } from "../../../store/layer/pack.ts";
import { settleLayer } from "../../../store/layer/settle.ts";
import { squashLayers } from "../../../store/layer/squash.ts";
import { tarEnd, tarHeader, tarPadding } from "../../../store/layer/tar/writer.ts";
import { unpackLayer } from "../../../store/layer/unpack.ts";
import { makeTemp } from "../../rig/temp.ts";

const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

interface Entry {
  readonly path: string;
  readonly type?: "directory" | "symlink" | "hardlink" | "char";
  /** A file's content, or where a link leads. */
  readonly text?: string;
  readonly xattrs?: ReadonlyMap<string, Uint8Array>;
}

const file = (path: string, text: string = ""): Entry => ({ path, text });
const directory = (path: string): Entry => ({ path, type: "directory" });
const symlink = (path: string, text: string): Entry => ({ path, type: "symlink", text });
const hardlink = (path: string, text: string): Entry => ({ path, type: "hardlink", text });

async function* tarOf(entries: readonly Entry[]): AsyncGenerator<Uint8Array> {
  for (const { path, type = "file", text = "", xattrs } of entries) {
    const content = Buffer.from(type === "file" ? text : "");
    const link = type === "file" || type === "directory" ? {} : { linkname: text };
    const mode = type === "directory" ? 0o755 : 0o644;
    const attributes = xattrs === undefined ? {} : { xattrs };
    yield tarHeader(path, { type, mode, ...owner, size: content.length, mtime: 0n, ...link, ...attributes });
    yield content;
    yield tarPadding(content.length);
  }
  yield tarEnd;
}

/** Paths with what is there: a file's text, `-> target`, `whiteout`, `directory`. */
function tree(root: string, path: string = ""): Record<string, string> {
  const entries = fs.readdirSync(join(root, path), { withFileTypes: true });
  return Object.assign(
    {},
    ...entries.map((entry) => {
      const at = join(path, entry.name);
      if (entry.isDirectory()) return { [at]: "directory", ...tree(root, at) };
      if (entry.isSymbolicLink()) return { [at]: `-> ${fs.readlinkSync(join(root, at))}` };
      return { [at]: entry.isCharacterDevice() ? "whiteout" : fs.readFileSync(join(root, at), "utf8") };
    }),
  );
}

async function unpacked(
  path: string,
  form: "overlay" | "literal",
  entries: readonly Entry[],
): Promise<Record<string, string>> {
  using root = Root.open(path);
  const { unsettled } = await unpackLayer(tarOf(entries), root, { form, owner });
  settleLayer(root, [], unsettled);
  return tree(path);
}

describe("entries below a symlink", () => {
  const usr = [directory("usr"), directory("usr/lib"), symlink("lib", "usr/lib")];

  it("of the same layer land where it leads", async () => {
    using temp = makeTemp();
    const made = await unpacked(temp.path, "overlay", [...usr, file("lib/e", "2"), hardlink("h", "lib/e")]);
    expect(made).toEqual({ usr: "directory", "usr/lib": "directory", "usr/lib/e": "2", lib: "-> usr/lib", h: "2" });
  });

  it("stay in the root, however it leads out of it", async () => {
    using temp = makeTemp();
    fs.mkdirSync(join(temp.path, "in"));
    const links = [symlink("up", "../../.."), symlink("abs", "/etc"), directory("d"), symlink("d/l", "../../x/y")];
    await unpacked(join(temp.path, "in"), "overlay", [
      ...links,
      file("up/a", "1"),
      file("abs/b", "2"),
      file("d/l/c", "3"),
    ]);
    expect(fs.readdirSync(temp.path)).toEqual(["in"]);
    expect(tree(join(temp.path, "in"))).toMatchObject({ a: "1", "etc/b": "2", "x/y/c": "3", up: "-> ../../.." });
  });

  it("hide there what is below", async () => {
    using temp = makeTemp();
    for (const name of ["below/usr/lib", "upper"]) fs.mkdirSync(join(temp.path, name), { recursive: true });
    for (const name of ["gone", "stays"]) fs.writeFileSync(join(temp.path, "below/usr/lib", name), name);
    using root = Root.open(join(temp.path, "upper"));
    using below = Root.open(join(temp.path, "below"));
    const entries = [symlink("lib", "usr/lib"), file("lib/.wh.gone"), file("lib/.wh.never")];
    const { unsettled } = await unpackLayer(tarOf(entries), root, { form: "overlay", owner });
    settleLayer(root, [below], unsettled);
    expect(tree(join(temp.path, "upper"))).toEqual({
      lib: "-> usr/lib",
      usr: "directory",
      "usr/lib": "directory",
      "usr/lib/gone": "whiteout",
    });
  });

  it("follow a link that another one took the place of no more", async () => {
    using temp = makeTemp();
    const entries = [symlink("l", "a"), file("l/x", "1"), symlink("l", "b"), file("l/x", "2")];
    expect(await unpacked(temp.path, "overlay", entries)).toMatchObject({ "a/x": "1", "b/x": "2", l: "-> b" });
  });

  it("are refused where it leads to itself", async () => {
    using temp = makeTemp();
    const loop = unpacked(temp.path, "overlay", [symlink("a", "b"), symlink("b", "a"), file("a/x")]);
    await expect(loop).rejects.toMatchObject({ code: "E_LAYER_ENTRY" });
  });
});

describe("an archive of ADD", () => {
  it("puts files in the place of directories, and the other way round", async () => {
    using temp = makeTemp();
    fs.mkdirSync(join(temp.path, "d/e"), { recursive: true });
    fs.writeFileSync(join(temp.path, "f"), "old");
    const made = await unpacked(temp.path, "literal", [file("d", "new"), directory("f"), file("f/x", "1")]);
    expect(made).toEqual({ d: "new", f: "directory", "f/x": "1" });
  });

  it("may have entries without a name", async () => {
    using temp = makeTemp();
    for (const form of ["literal", "overlay"] as const) {
      const entries = [directory("./"), file("", "lost"), directory("/"), file("a", "kept")];
      expect(await unpacked(temp.path, form, entries)).toEqual({ a: "kept" });
    }
  });
});

describe.each(["overlay", "literal"] as const)("a hostile archive (%s)", (form) => {
  const up = "../".repeat(20);
  const rows: readonly (readonly [what: string, entries: (canary: string) => readonly Entry[], refused?: boolean])[] = [
    ["an absolute path", (canary) => [file(`${canary}/x`)]],
    ["a path that leads up", (canary) => [file(`${up}${canary}/x`)], true],
    ["a file below a link to the host", (canary) => [symlink("l", canary), file("l/file", "evil")], form === "literal"],
    ["a file in the place of a link to the host", (canary) => [symlink("l", `${canary}/file`), file("l", "evil")]],
    ["a hard link to the host", (canary) => [hardlink("h", `${canary}/file`), file("h", "evil")], true],
    [
      "a hard link to a link to the host",
      (canary) => [symlink("l", `${canary}/file`), hardlink("h", "l"), file("h", "evil")],
    ],
    ["a hard link by way of a link to the host", (canary) => [symlink("l", canary), hardlink("h", "l/file")], true],
    ["a hard link to itself", () => [hardlink("h", "h")], true],
    ["a hard link to the root", () => [hardlink("h", "/")], true],
    ["a root that is a link", (canary) => [symlink(".", canary), file("file", "evil")]],
    [
      "links that lead up together",
      (canary) => [
        directory("a/b/c"),
        symlink("a/b/c/up", "../.."),
        symlink("a/b/out", "c/up/../.."),
        file(`a/b/out${canary}/file`, "evil"),
      ],
    ],
    ["a whiteout as a device", () => [{ path: "w", type: "char" }], true],
    ["a link to nothing", () => [symlink("l", "")], true],
    ["a link that leads too far", () => [symlink("l", "x/".repeat(3000))], true],
    ["a name that is too long", () => [file(`d/${"x".repeat(256)}`)], true],
    ["a name that is too long in its bytes", () => [directory("ä".repeat(128))], true],
    [
      "rules that are none",
      () => [{ ...file("f"), xattrs: new Map([["system.posix_acl_access", Buffer.from("x")]]) }],
      true,
    ],
  ];
  it.each(rows.map(([what, entries, isRefused = false]) => ({ what, entries, isRefused })))(
    "with $what changes nothing outside",
    async ({ entries, isRefused }) => {
      using temp = makeTemp();
      const [canary, root] = [join(temp.path, "canary"), join(temp.path, "root")];
      for (const path of [canary, root]) fs.mkdirSync(path);
      fs.writeFileSync(join(canary, "file"), "mine");
      const unpacking = unpacked(root, form, entries(canary));
      if (isRefused) await expect(unpacking).rejects.toMatchObject({ code: "E_LAYER_ENTRY" });
      else await unpacking;
      expect(tree(temp.path, "canary")).toEqual({ "canary/file": "mine" });
      expect(fs.statSync(join(canary, "file")).nlink).toBe(1);
      expect(fs.readdirSync(temp.path).toSorted()).toEqual(["canary", "root"]);
    },
  );
});

it("attributes of the host's own are left out", async () => {
  using temp = makeTemp();
  const keys = ["user.kept", "user.overlay.opaque", "trusted.x", "security.selinux", "security.evm", "system.x"];
  const xattrs = new Map(keys.map((key) => [key, Buffer.from("y")]));
  await unpacked(temp.path, "overlay", [{ ...file("f"), xattrs }]);
  using root = Root.open(temp.path);
  const [change] = diffLayer(temp.path, []);
  const kept = change !== undefined && "stat" in change ? [...(change.stat.xattrs?.keys() ?? [])] : [];
  expect(kept).toEqual(root.listxattr("f"));
  expect(kept.filter((key) => key !== "user.kept")).toEqual([]);
});

describe("a path of 2,000 directories", () => {
  const parts = Array.from({ length: 2000 }, () => "a");
  const path = `${parts.join("/")}/f`;

  it("is unpacked, settled, compared, packed, squashed and removed", async () => {
    using temp = makeTemp();
    for (const name of ["below", "upper", "one"]) fs.mkdirSync(join(temp.path, name));
    const at = (name: string): string => join(temp.path, name);
    {
      using below = Root.open(at("below"));
      using upper = Root.open(at("upper"));
      using one = Root.open(at("one"));
      for (const root of [below, upper]) {
        const { unsettled } = await unpackLayer(tarOf([file(path, "x")]), root, { form: "overlay", owner });
        settleLayer(root, root === upper ? [below] : [], unsettled);
      }
      const changes = diffLayer(at("upper"), [at("below")]);
      expect(changes).toEqual([]);
      const all = diffLayer(at("upper"), []);
      expect(all.at(-1)?.path).toBe(path);
      await hashLayer(at("upper"), all);
      squashLayers([upper, below], one, []);
      expect(diffLayer(at("one"), []).at(-1)?.path).toBe(path);
    }
    using root = Root.open(temp.path);
    for (const name of root.names()) root.removeTree(name);
    expect(root.names()).toEqual([]);
  });

  it("and one more is told to be too long", async () => {
    using temp = makeTemp();
    using root = Root.open(temp.path);
    const far = `${path}/${parts.join("/")}`;
    const refused = unpackLayer(tarOf([file(far)]), root, { form: "overlay", owner });
    await expect(refused).rejects.toMatchObject({ code: "E_LAYER_ENTRY" });
  });
});
