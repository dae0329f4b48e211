import * as fs from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { hashFile } from "../../../builder/inputs/files/hash-file.ts";
import { copyBytes } from "../../../native/copy-bytes.ts";
import { Root } from "../../../native/path.ts";
import { diffLayer } from "../../../store/layer/diff.ts";
import { tarEnd, tarHeader, tarPadding } from "../../../store/layer/tar/writer.ts";
import { unpackLayer } from "../../../store/layer/unpack.ts";
import { makeTemp } from "../../rig/temp.ts";

/** Nobody reads so many zeros in the time of a test. */
const huge = 4 * 2 ** 40;

/** A file of 4 TiB with a word near its end. */
function makeSparse(file: string, word: string = "word"): void {
  const fd = fs.openSync(file, "w");
  fs.ftruncateSync(fd, huge);
  fs.writeSync(fd, word, huge - 1000);
  fs.futimesSync(fd, 1, 1);
  fs.closeSync(fd);
}

function wordOf(file: string): string {
  const fd = fs.openSync(file, "r");
  const bytes = Buffer.alloc(4);
  fs.readSync(fd, bytes, 0, 4, huge - 1000);
  fs.closeSync(fd);
  return bytes.toString();
}

describe("the holes of a file", () => {
  it("are not read to compare it", () => {
    using temp = makeTemp();
    const at = (name: string): string => join(temp.path, name);
    for (const [name, word] of Object.entries({ one: "word", same: "word", other: "work" })) {
      fs.mkdirSync(at(name));
      makeSparse(at(`${name}/f`), word);
    }
    expect(diffLayer(at("one"), [at("same")])).toEqual([]);
    expect(diffLayer(at("one"), [at("other")])).toMatchObject([{ kind: "modify", path: "f" }]);
  });

  it("are not read to hash it for a key, and count by their places", () => {
    using temp = makeTemp();
    for (const [name, word] of Object.entries({ one: "word", same: "word", other: "work" }))
      makeSparse(join(temp.path, name), word);
    using root = Root.open(temp.path);
    const hash = (name: string): string => hashFile(root, name, { size: huge, attributes: false });
    expect(hash("one")).toBe(hash("same"));
    expect(hash("one")).not.toBe(hash("other"));
  });

  it("stay holes in a copy", () => {
    using temp = makeTemp();
    const [from, to] = [join(temp.path, "from"), join(temp.path, "to")];
    makeSparse(from);
    const [source, target] = [fs.openSync(from, "r"), fs.openSync(to, "w")];
    copyBytes(source, target, huge);
    for (const fd of [source, target]) fs.closeSync(fd);
    expect(wordOf(to)).toBe("word");
    expect(fs.statSync(to)).toMatchObject({ size: huge });
    expect(fs.statSync(to).blocks).toBeLessThan(2048);
  });

  it("come back from the zeros of a tar", async () => {
    using temp = makeTemp();
    const content = Buffer.alloc((8 << 20) + 5);
    content.write("middle", 5 << 20);
    const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
    const header = tarHeader("f", { type: "file", mode: 0o644, ...owner, size: content.length, mtime: 0n });
    const tar = Buffer.concat([header, content, tarPadding(content.length), tarEnd]);
    async function* pieces(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < tar.length; at += 1 << 20) yield tar.subarray(at, at + (1 << 20));
    }
    using root = Root.open(temp.path);
    await unpackLayer(pieces(), root, { form: "overlay", owner });
    expect(fs.readFileSync(join(temp.path, "f")).equals(content)).toBe(true);
    expect(fs.statSync(join(temp.path, "f")).blocks).toBeLessThan(content.length / 512 / 2);
  });
});
