import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { ContextMemo } from "../../../builder/inputs/context/memo.ts";
import { Root } from "../../../native/path.ts";
import { fingerprintTree } from "../../../native/scan.ts";
import { digestOf } from "../../../store/oci/digest.ts";
import { makeTemp } from "../../rig/temp.ts";

const digest = digestOf("content");
/** As if the digest were computed a minute from now: nothing of the tree is too young to be trusted. */
const later = (): number => Date.now() + 60_000;

function tempDir(): string {
  const temp = makeTemp();
  onTestFinished(() => temp[Symbol.dispose]());
  return temp.path;
}

function tree(): { readonly directory: string; readonly state: string } {
  const directory = tempDir();
  mkdirSync(join(directory, "src/deep"), { recursive: true });
  mkdirSync(join(directory, "node_modules"));
  writeFileSync(join(directory, "src/a"), "a");
  writeFileSync(join(directory, "src/deep/b"), "b");
  writeFileSync(join(directory, "node_modules/x"), "x");
  return { directory, state: tempDir() };
}

describe("ContextMemo", () => {
  const changes: readonly (readonly [string, (directory: string) => void])[] = [
    ["other bytes of the same length", (directory) => writeFileSync(join(directory, "src/a"), "z")],
    ["another mode", (directory) => chmodSync(join(directory, "src/deep/b"), 0o600)],
    ["a new file", (directory) => writeFileSync(join(directory, "src/deep/c"), "")],
    ["a new file at the top", (directory) => writeFileSync(join(directory, "c"), "")],
    ["a file gone", (directory) => rmSync(join(directory, "src/a"))],
    ["a renamed directory", (directory) => renameSync(join(directory, "src/deep"), join(directory, "src/depp"))],
    ["times set back after a change", changeAndSetBack],
  ];
  it.each(changes)("forgets a tree with %s", (_what, change) => {
    const { directory, state } = tree();
    using root = Root.open(directory);
    const wanted = { root, path: "", request: "all" };
    new ContextMemo(state, "one").keep(wanted, { digest, hidden: new Set(), began: later() });
    expect(new ContextMemo(state, "one").find(wanted)).toBe(digest);
    change(directory);
    expect(new ContextMemo(state, "one").find(wanted)).toBeUndefined();
  });

  it("does not count what is in hidden directories", () => {
    const { directory, state } = tree();
    using root = Root.open(directory);
    const wanted = { root, path: "", request: "all" };
    new ContextMemo(state, "one").keep(wanted, { digest, hidden: new Set(["node_modules"]), began: later() });
    writeFileSync(join(directory, "node_modules/y"), "y");
    expect(new ContextMemo(state, "one").find(wanted)).toBe(digest);
  });

  it("tells requests, paths and contexts apart", () => {
    const { directory, state } = tree();
    using root = Root.open(directory);
    const memo = new ContextMemo(state, "one");
    memo.keep({ root, path: "src", request: "all" }, { digest, hidden: new Set(), began: later() });
    expect(memo.find({ root, path: "src", request: "all" })).toBe(digest);
    expect(memo.find({ root, path: "src", request: "other" })).toBeUndefined();
    expect(memo.find({ root, path: "src/deep", request: "all" })).toBeUndefined();
    expect(new ContextMemo(state, "two").find({ root, path: "src", request: "all" })).toBeUndefined();
  });

  it("does not keep what changed within the last seconds before it was read", () => {
    const { directory, state } = tree();
    using root = Root.open(directory);
    const wanted = { root, path: "", request: "all" };
    const memo = new ContextMemo(state, "one");
    memo.keep(wanted, { digest, hidden: new Set(), began: Date.now() });
    expect(memo.find(wanted)).toBeUndefined();
  });

  it.each(["", "{", "[1, null, {}]", '[{"request":"a","hidden":[],"fingerprint":"b","digest":"md5:1"}]'])(
    "takes the damaged file %j for an empty one",
    (text) => {
      const { directory, state } = tree();
      using root = Root.open(directory);
      writeFileSync(join(state, "one.memo"), text);
      const wanted = { root, path: "", request: "all" };
      const memo = new ContextMemo(state, "one");
      expect(memo.find(wanted)).toBeUndefined();
      memo.keep(wanted, { digest, hidden: new Set(), began: later() });
      expect(new ContextMemo(state, "one").find(wanted)).toBe(digest);
    },
  );
});

describe("fingerprintTree()", () => {
  it("is the same after files were only read", () => {
    const { directory } = tree();
    using root = Root.open(directory);
    const before = fingerprintTree(root, () => false);
    readFileSync(join(directory, "src/a"));
    expect(fingerprintTree(root, () => false)).toEqual(before);
  });
  it("reads more entries than one call of the kernel gives", () => {
    const { directory } = tree();
    for (let at = 0; at < 3000; at++) writeFileSync(join(directory, `a-file-with-a-rather-long-name-${at}`), "");
    using root = Root.open(directory);
    const before = fingerprintTree(root, () => false);
    writeFileSync(join(directory, "a-file-with-a-rather-long-name-2999"), "changed");
    expect(fingerprintTree(root, () => false)?.digest).not.toBe(before?.digest);
  });
});

function changeAndSetBack(directory: string): void {
  const file = join(directory, "src/a");
  writeFileSync(file, "q");
  utimesSync(file, 1, 1);
}
