import fc from "fast-check";
import { gzipSync, zstdCompressSync } from "node:zlib";
import type { EntryStat } from "../../../store/layer/change.ts";
import { decompress } from "../../../store/layer/compression.ts";
import { tarEnd, tarHeader, tarPadding } from "../../../store/layer/tar/writer.ts";
import { readTar } from "../../rig/read-tar.ts";
import { outcome, outcomeOf, same } from "../rig/check.ts";
import type { FuzzTarget } from "../rig/target.ts";

const names = fc.oneof(
  fc.constantFrom("a", "d/e", "n".repeat(101), `${"p".repeat(150)}/${"q".repeat(90)}`, "ü/名", "x\udcffy", "a\nb"),
  fc.string({ minLength: 1, maxLength: 12 }),
);
const path = names
  .map((one) => one.replaceAll("\0", "_").replace(/\/+$/, "") || "x")
  .map((one) => (one.isWellFormed() ? one : "s"));
const entry = fc.record({
  path,
  type: fc.constantFrom<EntryStat["type"][]>("file", "directory", "symlink", "hardlink", "char", "block", "fifo"),
  mode: fc.nat(0o7777),
  uid: fc.oneof(fc.nat(70_000), fc.constantFrom(0o7777777, 0o10000000, 4_294_967_294)),
  content: fc.string({ maxLength: 600 }),
  seconds: fc.oneof(fc.nat(2_000_000_000), fc.constantFrom(-1, -5_000_000_000, 0o77777777777, 0o100000000000)),
  linkname: path,
  device: fc.oneof(fc.nat(300), fc.constantFrom(0o7777777, 0o10000000)),
  xattr: fc.option(fc.uint8Array({ maxLength: 20 }), { nil: undefined }),
});

type Made = typeof entry extends fc.Arbitrary<infer T> ? T : never;

function statOf({ type, mode, uid, content, seconds, linkname, device, xattr }: Made): EntryStat {
  return {
    type,
    mode,
    uid,
    gid: uid,
    size: type === "file" ? Buffer.byteLength(content) : 0,
    mtime: BigInt(seconds) * 1_000_000_000n,
    ...(type === "symlink" || type === "hardlink" ? { linkname } : {}),
    ...(type === "char" || type === "block" ? { devmajor: device, devminor: device } : {}),
    ...(xattr === undefined ? {} : { xattrs: new Map<string, Uint8Array>([["user.x", xattr]]) }),
  };
}

/** Entries and the archive of them: what is written is what is read. */
const archives: fc.Arbitrary<Buffer> = fc.array(entry, { maxLength: 4 }).map((entries) => {
  const parts = entries.flatMap((one) => {
    const stat = statOf(one);
    const content = Buffer.from(stat.type === "file" ? one.content : "");
    return [tarHeader(one.path, stat), content, tarPadding(content.length)];
  });
  const tar = Buffer.concat([...parts, tarEnd]);
  const written = entries.map((one) => [
    one.type === "directory" ? `${one.path}/` : one.path,
    statOf(one),
    one.type === "file" ? one.content : "",
  ]);
  const read = readTar(tar, 1000).map(({ path: name, stat, content }) => [
    name,
    stat,
    Buffer.from(content, "latin1").toString(),
  ]);
  same("written and read", read.map(sorted), written.map(sorted));
  return tar;
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null || value instanceof Map)
    return value instanceof Map ? [...value].map(([key, one]) => [key, Buffer.from(one).toString("hex")]) : value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, one]) => [key, sorted(one)]),
  );
}

const plain: EntryStat = { type: "file", mode: 0o644, uid: 0, gid: 0, size: 0, mtime: 0n };

export const tar: FuzzTarget = {
  name: "tar",
  sources: ["store/layer/tar/"],
  tokens: [
    "ustar\x0000",
    "ustar  \0",
    "0",
    "1",
    "2",
    "5",
    "L",
    "K",
    "x",
    "g",
    "S",
    "7",
    "path=",
    "20 path=a\n",
    "30 mtime=1.5\n",
    "size=",
    "SCHILY.xattr.user.a=",
    "GNU.sparse.map=0,1\n",
    "GNU.sparse.major=1\n",
    "\0".repeat(100),
    "\0".repeat(512),
    "7777777\0",
    "\x80\0\0\0",
  ],
  seeds: [
    Buffer.concat([tarHeader("f", { ...plain, size: 3 }), Buffer.from("abc"), tarPadding(3), tarEnd]),
    Buffer.concat([
      tarHeader("ü".repeat(90), {
        ...plain,
        type: "symlink",
        linkname: "l".repeat(150),
        uid: 3e6,
        xattrs: new Map([["user.a", Buffer.from("b")]]),
      }),
      tarEnd,
    ]),
    gnuSparse(),
    paxSparse(),
  ],
  grammar: archives,
  check(input) {
    // Of a header that was changed the checksum is put right: behind it is what is to be read.
    for (const bytes of [input, withChecksums(input)]) {
      const whole = outcome(() => readTar(bytes, bytes.length + 1));
      for (const chunk of [1, 511, 700]) {
        const parts = outcome(() => readTar(bytes, chunk));
        same(`in chunks of ${chunk}`, [parts.value, parts.error?.message], [whole.value, whole.error?.message]);
      }
      for (const { stat } of whole.value ?? []) {
        if (stat.size < 0 || stat.uid < 0 || stat.gid < 0) throw new Error("a number below zero");
      }
    }
  },
};

/** Every block that says it is a header gets the checksum of its bytes. */
function withChecksums(input: Buffer): Buffer {
  const bytes = Buffer.from(input);
  for (let at = 0; at + 512 <= bytes.length; at += 512) {
    const block = bytes.subarray(at, at + 512);
    if (block.toString("latin1", 257, 262) === "ustar") putChecksum(block);
  }
  return bytes;
}

function putChecksum(block: Buffer): void {
  block.write("        ", 148, "latin1");
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
}

function gnuSparse(): Buffer {
  const header = Buffer.from(tarHeader("s", { ...plain, size: 512 }));
  header.write("ustar  \0", 257, "latin1");
  header.write("S", 156, "latin1");
  header.write("00000001000\0" + "00000001000\0", 386, "latin1");
  header.write("00000002000\0", 483, "latin1");
  putChecksum(header);
  return Buffer.concat([header, Buffer.alloc(512, 1), tarEnd]);
}

function paxSparse(): Buffer {
  const body = "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n30 GNU.sparse.realsize=001000\n";
  const pax = Buffer.from(tarHeader("x", { ...plain, size: Buffer.byteLength(body) }));
  pax.write("x", 156, "latin1");
  putChecksum(pax);
  const map = Buffer.alloc(512);
  map.write("1\n0\n512\n");
  const head = tarHeader("s", { ...plain, size: 1024 });
  return Buffer.concat([pax, Buffer.from(body), tarPadding(body.length), head, map, Buffer.alloc(512, 1), tarEnd]);
}

/** Plain bytes that come of it are counted up to a bound: a bomb is the caller's to limit. */
const maxPlain = 4 << 20;

export const compressed: FuzzTarget = {
  name: "compressed",
  sources: ["store/layer/compression.ts"],
  tokens: ["\x1f\x8b\x08", "\x28\xb5\x2f\xfd", "BZh9", "\xfd7zXZ\0", "\x50\x2a\x4d\x18", "\0\0\0\0", "\x03\0"],
  seeds: [
    gzipSync("hello"),
    zstdCompressSync(Buffer.from("hello")),
    Buffer.concat([gzipSync("a"), gzipSync("b")]),
    Buffer.from("plain"),
    gzipSync(Buffer.alloc(100_000)).subarray(0, 60),
  ],
  async check(input) {
    const whole = await outcomeOf(async () => await plainOf(input, input.length + 1));
    const parts = await outcomeOf(async () => await plainOf(input, 3));
    same("in chunks", parts.value?.toString("latin1"), whole.value?.toString("latin1"));
  },
};

async function plainOf(input: Buffer, chunk: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const one of decompress(cut(input, chunk))) {
    chunks.push(Buffer.from(one));
    size += one.byteLength;
    if (size > maxPlain) break;
  }
  return Buffer.concat(chunks).subarray(0, maxPlain);
}

async function* cut(input: Buffer, chunk: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < input.length; at += chunk) yield input.subarray(at, at + chunk);
}
