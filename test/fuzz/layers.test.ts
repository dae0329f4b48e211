import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, it, expect } from "vitest";
import { openOverlay } from "../../native/mount.ts";
import { Root } from "../../native/path.ts";
import type { Change } from "../../store/layer/change.ts";
import { diffLayer } from "../../store/layer/diff.ts";
import { layerTar } from "../../store/layer/finish.ts";
import { settleLayer } from "../../store/layer/settle.ts";
import { squashLayers } from "../../store/layer/squash.ts";
import { unpackLayer } from "../../store/layer/unpack.ts";
import { makeTemp } from "../rig/temp.ts";
import { applyByTar } from "./layers/gnu-tar.ts";
import { differences, listing, type Listing } from "./layers/listing.ts";
import { perform, steps, type Operation } from "./layers/operations.ts";
import { budget } from "./rig/budget.ts";

/** A stack of layer directories, topmost first, and how to add one. */
class Stack {
  readonly #directory: string;
  lowers: readonly string[] = [];

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory);
  }

  /** Adds what `write` does to the merged tree. */
  add(write: (root: Root) => void): void {
    const [upper, work] = this.#make();
    const { lowers: lower } = this;
    {
      using root = lower.length === 0 ? Root.open(upper) : openOverlay({ lower, upper, work });
      write(root);
    }
    this.lowers = [upper, ...lower];
  }

  /** Adds what the tar of a layer says. */
  async unpack(tar: Buffer): Promise<void> {
    const [upper] = this.#make();
    using stack = new DisposableStack();
    const root = stack.use(Root.open(upper));
    const below = this.lowers.map((directory) => stack.use(Root.open(directory)));
    const { unsettled } = await unpackLayer(chunks(tar), root, { form: "overlay" });
    settleLayer(root, below, unsettled);
    this.lowers = [upper, ...this.lowers];
  }

  /** The same tree with the topmost layers merged into one. */
  squashed(count: number): Listing {
    using stack = new DisposableStack();
    const directory = join(this.#directory, `s${count}`);
    mkdirSync(directory, { mode: 0o755 });
    const lower = this.lowers.slice(count);
    const open = (one: string): Root => stack.use(Root.open(one));
    squashLayers(this.lowers.slice(0, count).map(open), open(directory), lower.map(open));
    const root = stack.use(openOverlay({ lower: [directory, ...lower] }));
    return listing(`/proc/self/fd/${root.fd}`);
  }

  view(times?: Parameters<typeof listing>[1]): Listing {
    using root = openOverlay({ lower: this.lowers });
    return listing(`/proc/self/fd/${root.fd}`, times);
  }

  #make(): [string, string] {
    const names = ["u", "w"].map((letter) => join(this.#directory, `${letter}${this.lowers.length}`));
    for (const name of names) mkdirSync(name, { mode: 0o755 });
    return [names[0] ?? "", names[1] ?? ""];
  }
}

async function* chunks(tar: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < tar.length; at += 10_000) yield tar.subarray(at, at + 10_000);
}

function pack(stack: Stack): Buffer {
  const [directory = "", ...lowers] = stack.lowers;
  return Buffer.concat([...layerTar({ directory, lowers })].map((chunk) => Buffer.from(chunk)));
}

/** Paths of entries that are as they were, though nothing below them and no hard link of them is in the layer. */
function needless(changes: readonly Change[], before: Listing, after: Listing): readonly string[] {
  return changes.flatMap((change) => {
    const { path } = change;
    if (change.kind === "delete") return before.has(path) && !after.has(path) ? [] : [path];
    if (change.kind === "opaque" || change.stat.type === "hardlink") return [];
    const linked = changes.some((one) => "stat" in one && one.stat.linkname === path && one.stat.type === "hardlink");
    const parent = change.stat.type === "directory" && changes.some((one) => one.path.startsWith(`${path}/`));
    return before.get(path) === after.get(path) && !linked && !parent ? [path] : [];
  });
}

async function checkBuild(build: readonly (readonly Operation[])[]): Promise<void> {
  using temp = makeTemp();
  const [built, pulled] = ["built", "pulled"].map((name) => new Stack(join(temp.path, name)));
  if (built === undefined || pulled === undefined) throw new Error("no stacks");
  const flat = join(temp.path, "flat");
  mkdirSync(flat);
  for (const operations of build) {
    const before: Listing = built.lowers.length === 0 ? new Map() : built.view("nanoseconds");
    built.add((root) => perform(root, operations));
    const [directory = "", ...lowers] = built.lowers;
    expect(needless(diffLayer(directory, lowers), before, built.view("nanoseconds"))).toEqual([]);
    const tar = pack(built);
    expect(digest(pack(built))).toBe(digest(tar));
    await pulled.unpack(tar);
    expect(differences(built.view(), pulled.view())).toEqual([]);
    writeFileSync(join(temp.path, "layer.tar"), tar);
    applyByTar(flat, join(temp.path, "layer.tar"));
    expect(differences(built.view(), listing(flat))).toEqual([]);
  }
  for (let count = 2; count <= built.lowers.length; count++) {
    expect(differences(built.view(), built.squashed(count))).toEqual([]);
  }
}

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

describe("a layer made of what programs did to an overlay mount", () => {
  it("has what changed, and gives the same tree by unpackLayer(), by GNU tar, and squashed", async () => {
    await fc.assert(fc.asyncProperty(steps, checkBuild), budget(100));
  });
});
