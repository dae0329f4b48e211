import { createHash } from "node:crypto";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Change } from "../../../store/layer/change.ts";
import { diffLayer } from "../../../store/layer/diff.ts";
import { hashLayer, packLayer } from "../../../store/layer/pack.ts";
import { TarReader } from "../../../store/layer/tar/reader.ts";

const chunk = 1 << 20;
let directory: string;

function unpacked(tar: Uint8Array): Record<string, Buffer> {
  const files: Record<string, Buffer> = {};
  let path = "";
  const reader = new TarReader({
    entry: (entry) => (path = entry.path),
    data: (bytes) => (files[path] = Buffer.concat([files[path] ?? Buffer.of(), bytes])),
    end: () => (files[path] ??= Buffer.of()),
  });
  reader.push(tar);
  reader.finish();
  expect(reader.ended).toBe(true);
  return files;
}

function content(size: number, seed: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; at++) bytes[at] = (at * 31 + seed + (at >> 8)) & 0xff;
  return bytes;
}

function writeAt(file: string, at: number, bytes: Buffer): void {
  const fd = openSync(file, "r+");
  writeSync(fd, bytes, 0, bytes.length, at);
  closeSync(fd);
}

/** Copies of the chunks. */
function chunksOf(changes: readonly Change[]): Buffer[] {
  const found: Buffer[] = [];
  let before: Uint8Array = Buffer.of();
  for (const bytes of packLayer(directory, changes)) {
    // The last chunk is as it was while this one was made.
    expect(found.at(-1)?.equals(before) ?? true).toBe(true);
    found.push(Buffer.from(bytes));
    before = bytes;
  }
  return found;
}

describe("packLayer() and hashLayer()", () => {
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "tsbuild-pack-"));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  // The second file's header, content or padding ends at a chunk's end, just before it or just after.
  it.each(
    [0, 1, 511, 512, 513, 1023, 1024, 1025, 1536].flatMap((left) => [
      [chunk - 512 - left, 0],
      [chunk - 1024 - left, 1],
      [chunk - 1536 - left, 513],
      [chunk - 512 - left, 3 * chunk + left],
    ]),
  )("keep content whole over the chunks' ends: %i and %i bytes", async (first, second) => {
    const files: Record<string, Buffer> = { a: content(first, 1), b: content(second, 2), c: content(700, 3) };
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(directory, name), bytes);
    const changes = diffLayer(directory, []);
    const tar = Buffer.concat(chunksOf(changes));
    const names = Object.keys(files);
    expect(Object.keys(unpacked(tar))).toEqual(names);
    expect(names.filter((name) => unpacked(tar)[name]?.equals(files[name] ?? Buffer.of()) !== true)).toEqual([]);
    const diffID = `sha256:${createHash("sha256").update(tar).digest("hex")}`;
    expect(await hashLayer(directory, changes)).toEqual({ diffID, size: tar.length });
  });

  it("give holes as the zeros that they are, without reading them", async () => {
    const [sparse, plain] = [join(directory, "a"), join(directory, "b")];
    for (const file of [sparse, plain]) {
      writeFileSync(file, "begin");
      truncateSync(file, 20 * chunk + 7);
      writeAt(file, 9 * chunk, content(3 * chunk, 1));
    }
    writeFileSync(plain, readFileSync(plain));
    const [first, second] = Object.values(unpacked(Buffer.concat(chunksOf(diffLayer(directory, [])))));
    expect(second?.equals(first ?? Buffer.of())).toBe(true);
    expect(first?.equals(readFileSync(sparse))).toBe(true);
  });

  it("refuse a file that became shorter, small or large", async () => {
    mkdirSync(join(directory, "d"));
    for (const size of [5000, 2 * chunk]) {
      const file = join(directory, "d/f");
      writeFileSync(file, content(size, 1));
      const changes = diffLayer(directory, []);
      truncateSync(file, 4096);
      const code = "E_LAYER_CHANGED";
      await expect(hashLayer(directory, changes)).rejects.toMatchObject({ code });
      expect(() => [...packLayer(directory, changes)]).toThrow("Cannot pack /d/f: it is shorter than it was");
    }
  });
});
