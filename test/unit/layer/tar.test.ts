import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { EntryStat } from "../../../store/layer/change.ts";
import { TarReader, type TarEntry } from "../../../store/layer/tar/reader.ts";
import { tarEnd, tarHeader, tarPadding } from "../../../store/layer/tar/writer.ts";

interface Read extends TarEntry {
  readonly content: Buffer;
}

/** Reads an archive in chunks of a size that cuts through everything. */
function read(bytes: Uint8Array, chunk: number = 700): readonly Read[] {
  const entries: { entry: TarEntry; chunks: Buffer[] }[] = [];
  const reader = new TarReader({
    entry: (entry) => entries.push({ entry, chunks: [] }),
    data: (data) => entries.at(-1)?.chunks.push(Buffer.from(data)),
    end: () => undefined,
  });
  for (let at = 0; at < bytes.byteLength; at += chunk) reader.push(bytes.subarray(at, at + chunk));
  reader.finish();
  return entries.map(({ entry, chunks }) => ({ ...entry, content: Buffer.concat(chunks) }));
}

function archive(path: string, stat: EntryStat, content: string = ""): Buffer {
  return Buffer.concat([tarHeader(path, stat), Buffer.from(content), tarPadding(content.length), tarEnd]);
}

const plain: EntryStat = { type: "file", mode: 0o644, uid: 0, gid: 0, size: 0, mtime: 1_000_000_000_000_000_000n };

const rows: readonly (readonly [string, string, EntryStat])[] = [
  ["a plain file", "dir/file", plain],
  ["a name of 100 bytes", "n".repeat(100), plain],
  ["a name cut at a slash", `${"p".repeat(120)}/${"n".repeat(90)}`, plain],
  ["a name that only PAX can say", `${"p".repeat(200)}/${"n".repeat(200)}`, plain],
  ["a name that is not ASCII", "ünïcode/名前", plain],
  ["a name whose bytes are not UTF-8", "bad\udcff\udc80", plain],
  ["a name with a newline", "a\nb", plain],
  [
    "a directory with a long name",
    `${"d".repeat(150)}/${"e".repeat(120)}`,
    { ...plain, type: "directory", mode: 0o1777 },
  ],
  ["a setuid file", "su", { ...plain, mode: 0o4755 }],
  ["a big uid and gid", "big", { ...plain, uid: 3_000_000, gid: 4_294_967_294 }],
  ["a time before 1970", "old", { ...plain, mtime: -5_000_000_000n }],
  ["a time after 2242", "late", { ...plain, mtime: 9_999_999_999_000_000_000n }],
  ["a symlink to a long target", "link", { ...plain, type: "symlink", mode: 0o777, linkname: "t".repeat(300) }],
  ["a hard link", "hard", { ...plain, type: "hardlink", linkname: "dir/file" }],
  ["a fifo", "fifo", { ...plain, type: "fifo" }],
  ["a device with a large minor number", "dev", { ...plain, type: "char", devmajor: 10, devminor: 1_000_000 }],
  [
    "attributes with bytes that are not text",
    "cap",
    {
      ...plain,
      xattrs: new Map([
        ["security.capability", Buffer.from("0100000220ff800000000000000000000000000a", "hex")],
        ["user.n", Buffer.from("a=b\nc\0d")],
      ]),
    },
  ],
];

describe("tarHeader() and TarReader", () => {
  for (const [what, path, stat] of rows) {
    it(`carry ${what}`, () => {
      const [entry] = read(archive(path, stat));
      expect(entry?.path.replace(/\/$/, "")).toBe(path);
      expect(normal(entry?.stat)).toEqual(normal(stat));
    });
  }

  it("carry a size beyond 8 GiB", () => {
    const [size] = [9_000_000_000];
    let seen: EntryStat | undefined;
    const reader = new TarReader({ entry: ({ stat }) => (seen = stat), data: () => undefined, end: () => undefined });
    reader.push(tarHeader("huge", { ...plain, size }));
    expect(seen?.size).toBe(size);
    expect(() => reader.finish()).toThrow(expect.objectContaining({ code: "E_TAR_TRUNCATED" }));
  });

  it("keep content whole wherever the chunks are cut", () => {
    const content = "x".repeat(5000);
    for (const chunk of [1, 511, 512, 513, 10_000]) {
      expect(read(archive("f", { ...plain, size: content.length }, content), chunk)[0]?.content.toString()).toBe(
        content,
      );
    }
  });

  it("write the same bytes for the same entry", () => {
    const stat = {
      ...plain,
      xattrs: new Map([
        ["user.b", Buffer.from("2")],
        ["user.a", Buffer.from("1")],
      ]),
    };
    const turned = {
      ...plain,
      xattrs: new Map([
        ["user.a", Buffer.from("1")],
        ["user.b", Buffer.from("2")],
      ]),
    };
    expect(Buffer.from(tarHeader("f", stat)).equals(Buffer.from(tarHeader("f", turned)))).toBe(true);
  });

  it("pass over global PAX headers, as Go does", () => {
    const bytes = withPax("13 path=other\n");
    bytes.write("g", 156, "latin1");
    sum(bytes.subarray(0, 512));
    const [entry] = read(bytes);
    expect(entry?.path).not.toBe("other");
  });

  it("keep an attribute whose value is empty", () => {
    const stat = { ...plain, xattrs: new Map([["user.empty", Buffer.alloc(0)]]) };
    expect(read(archive("f", stat))[0]?.stat.xattrs).toEqual(stat.xattrs);
  });

  it("take a long header that comes byte by byte in linear time", () => {
    const name = "n".repeat(900_000);
    const bytes = Buffer.concat([gnuName(name), archive("f", plain)]);
    expect(read(bytes, 10)[0]?.path).toBe(name);
  });

  const damaged: readonly (readonly [string, Buffer, string])[] = [
    ["a wrong checksum", Buffer.concat([Buffer.from(tarHeader("f", plain)).fill(1, 0, 5), tarEnd]), "E_TAR_INVALID"],
    [
      "an archive that is cut off",
      archive("f", { ...plain, size: 2000 }, "y".repeat(2000)).subarray(0, 1500),
      "E_TAR_TRUNCATED",
    ],
    ["a PAX record whose length lies", withPax("99 path=x\n"), "E_TAR_INVALID"],
    ["a PAX record without =", withPax("8 pathx\n"), "E_TAR_INVALID"],
    ["a PAX number that is none", withPax("12 uid=x1234\n"), "E_TAR_INVALID"],
    [
      "a header extension of 8 GiB",
      withField(124, Buffer.from("77777777777\0" + " ".repeat(20) + "x", "latin1")),
      "E_TAR_INVALID",
    ],
    ["a size below zero", withField(124, Buffer.from("ffffffffffffffffffffff00", "hex")), "E_TAR_INVALID"],
    ["an owner below zero", withField(108, Buffer.from("ffffffffffffffff", "hex")), "E_TAR_INVALID"],
    ["an empty block among its entries", Buffer.concat([tarEnd.subarray(512), archive("f", plain)]), "E_TAR_INVALID"],
    ["a header whose body never comes", Buffer.from(tarHeader("ü", plain)).subarray(0, 515), "E_TAR_TRUNCATED"],
    ["a directory of v7 with content", archive("d/", { ...plain, size: 3 }, "abc"), "E_TAR_INVALID"],
    ["a sparse map that is not of its file", withPax("26 GNU.sparse.map=0,1,2,3\n"), "E_TAR_INVALID"],
    ["a sparse file without a map", withPax("27 GNU.sparse.realsize=999\n"), "E_TAR_INVALID"],
    ["an entry with two long names", Buffer.concat([gnuName("other"), archive("ü", plain)]), "E_TAR_INVALID"],
  ];
  for (const [what, bytes, code] of damaged) {
    it(`refuse ${what}`, () => expect(() => read(bytes)).toThrow(expect.objectContaining({ code })));
  }
});

/** A file whose header has these bytes in a field. */
function withField(at: number, bytes: Buffer): Buffer {
  const header = Buffer.from(tarHeader("f", plain));
  bytes.copy(header, at);
  return Buffer.concat([sum(header), tarEnd]);
}

/** GNU's header that gives the next entry its name. */
function gnuName(name: string): Buffer {
  const header = Buffer.from(tarHeader("././@LongLink", { ...plain, size: name.length }));
  header.write("L", 156, "latin1");
  return Buffer.concat([sum(header), Buffer.from(name), tarPadding(name.length)]);
}

function sum(header: Buffer): Buffer {
  header.write("        ", 148, "latin1");
  const total = header.reduce((before, byte) => before + byte, 0);
  header.write(`${total.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return header;
}

/** A file after a PAX header with this body, which the writer would never make. */
function withPax(body: string): Buffer {
  const made = Buffer.from(tarHeader("ü", plain));
  const header = Buffer.from(made.subarray(0, 512));
  header.write(`${body.length.toString(8).padStart(11, "0")}\0`, 124, "latin1");
  return Buffer.concat([sum(header), Buffer.from(body), tarPadding(body.length), made.subarray(1024), tarEnd]);
}

/** What a round trip keeps: whole seconds, and no field that a type does not have. */
function normal(stat: EntryStat | undefined): unknown {
  if (stat === undefined) return undefined;
  const { xattrs, mtime, ...rest } = stat;
  const attributes = [...(xattrs ?? [])].map(([key, value]) => `${key}=${Buffer.from(value).toString("hex")}`);
  return { ...rest, mtime: mtime / 1_000_000_000n, attributes: attributes.toSorted((a, b) => a.localeCompare(b)) };
}

describe("TarReader with GNU tar", () => {
  for (const format of ["v7", "ustar", "gnu", "posix"]) {
    it(`reads the ${format} format`, () => {
      const directory = mkdtempSync(join(tmpdir(), "tsbuild-tar-"));
      try {
        const long = format === "v7" ? "short" : `${"l".repeat(80)}/${"m".repeat(80)}`;
        execFileSync("mkdir", ["-p", join(directory, "in", long)]);
        writeFileSync(join(directory, "in", long, "file"), "content");
        execFileSync("ln", ["-s", "file", join(directory, "in", long, "link")]);
        const file = join(directory, "a.tar");
        execFileSync("tar", [`--format=${format}`, "-C", join(directory, "in"), "-cf", file, "."]);
        const entries = read(readFileSync(file));
        const found = entries.find(({ path }) => path.endsWith(`${long}/file`));
        expect(found?.content.toString()).toBe("content");
        expect(entries.find(({ path }) => path.endsWith(`${long}/link`))?.stat).toMatchObject({
          type: "symlink",
          linkname: "file",
        });
        expect(entries.find(({ path }) => path.endsWith(`${long}/`))?.stat.type).toBe("directory");
      } finally {
        rmSync(directory, { recursive: true });
      }
    });
  }

  for (const version of ["gnu", "0.0", "0.1", "1.0"]) {
    it(`reads sparse files of version ${version}`, () => {
      const directory = mkdtempSync(join(tmpdir(), "tsbuild-tar-"));
      try {
        execFileSync(
          "sh",
          [
            "-c",
            "truncate -s 3M s && printf middle | dd of=s bs=1 seek=1000000 conv=notrunc status=none && printf end | dd of=s bs=1 seek=2900000 conv=notrunc status=none",
          ],
          { cwd: directory },
        );
        const flags = version === "gnu" ? ["--format=gnu"] : ["--format=posix", `--sparse-version=${version}`];
        execFileSync("tar", [...flags, "--sparse", "-cf", "a.tar", "s"], { cwd: directory });
        const [entry] = read(readFileSync(join(directory, "a.tar")));
        expect(entry?.path).toBe("s");
        expect(entry?.stat.size).toBe(3 << 20);
        const whole = Buffer.alloc(3 << 20);
        let at = 0;
        for (const { offset, size } of entry?.sparse ?? []) {
          entry?.content.copy(whole, offset, at, at + size);
          at += size;
        }
        expect(whole.equals(readFileSync(join(directory, "s")))).toBe(true);
      } finally {
        rmSync(directory, { recursive: true });
      }
    });
  }

  it("writes what GNU tar lists as it was meant", () => {
    const directory = mkdtempSync(join(tmpdir(), "tsbuild-tar-"));
    try {
      const file = join(directory, "a.tar");
      const name = `${"p".repeat(200)}/${"n".repeat(200)}`;
      writeFileSync(file, archive(name, { ...plain, uid: 3_000_000, gid: 5, mode: 0o4750, mtime: 0n }));
      const listed = execFileSync("tar", ["--numeric-owner", "--utc", "-tvf", file], { encoding: "utf8" });
      expect(listed.trim()).toBe(
        `-rwsr-x--- 3000000/5 0 1970-01-01 00:00 ${name}`.replace(" 0 1970", listed.match(/ +0 1970/)?.[0] ?? ""),
      );
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
