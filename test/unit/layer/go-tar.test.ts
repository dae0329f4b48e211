import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { readTar } from "../../rig/read-tar.ts";

/** An entry as Go's archive/tar lists it. */
interface GoEntry {
  readonly Name: string;
  readonly Link: string;
  readonly Type: string;
  readonly Content: string;
  readonly Mode: number;
  readonly UID: number;
  readonly GID: number;
  readonly Size: number;
  readonly Seconds: number;
  readonly Major: number;
  readonly Minor: number;
}

const file = join(import.meta.dirname, "../../fixtures/go-tars.json.gz");
const rows: readonly { readonly Archive: string; readonly Entries: readonly GoEntry[] | null }[] = JSON.parse(
  gunzipSync(readFileSync(file)).toString(),
);
const types: Readonly<Record<string, string>> = {
  "0": "file",
  "\0": "file",
  "7": "file",
  S: "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "char",
  "4": "block",
  "5": "directory",
  "6": "fifo",
};

/** What both say of an entry; types that only Go knows are passed over, as global headers are. */
function goLines(entries: readonly GoEntry[]): readonly string[] {
  return entries.flatMap((one) => {
    const type = types[one.Type];
    if (type === undefined) return [];
    const device = type === "char" || type === "block" ? [one.Major, one.Minor] : [];
    // Of what has no content Go keeps the number that stands there.
    const size = type === "file" ? one.Size : 0;
    const link = type === "symlink" || type === "hardlink" ? one.Link : "";
    return [
      [
        one.Name,
        type,
        link,
        one.Mode,
        one.UID,
        one.GID,
        size,
        one.Seconds,
        ...device,
        type === "file" ? one.Content : "",
      ].join(" "),
    ];
  });
}

function ourLines(archive: Buffer): readonly string[] | undefined {
  try {
    return readTar(archive, 4096).map(({ path, stat, content, sparse }) => {
      const { type, mode, uid, gid, size, mtime, linkname = "", devmajor, devminor } = stat;
      const device = devmajor === undefined ? [] : [devmajor, devminor ?? 0];
      const whole = expandSparse(Buffer.from(content, "latin1"), size, sparse);
      const hash = type === "file" ? createHash("sha256").update(whole).digest("hex") : "";
      const seconds = mtime / 1_000_000_000n - (mtime % 1_000_000_000n < 0n ? 1n : 0n);
      return [path, type, linkname, mode, uid, gid, size, seconds, ...device, hash].join(" ");
    });
  } catch {
    return undefined;
  }
}

function expandSparse(
  content: Buffer,
  size: number,
  sparse: readonly { readonly offset: number; readonly size: number }[] | undefined,
): Buffer {
  if (sparse === undefined) return content;
  const whole = Buffer.alloc(size);
  let at = 0;
  for (const piece of sparse) {
    content.copy(whole, piece.offset, at, at + piece.size);
    at += piece.size;
  }
  return whole;
}

describe("TarReader and Go's archive/tar", () => {
  it("find the same in an archive that the former takes", () => {
    const wrong = rows.flatMap(({ Archive, Entries }, at) => {
      const ours = ourLines(Buffer.from(Archive, "base64"));
      if (ours === undefined) return [];
      // Go's JSON has no bytes that are not UTF-8.
      const shown = ours.map((line) => line.toWellFormed());
      const theirs = Entries === null ? undefined : goLines(Entries);
      return JSON.stringify(shown) === JSON.stringify(theirs) ? [] : [{ at, shown, theirs }];
    });
    expect(wrong).toEqual([]);
  });

  it("take most of those that the other takes", () => {
    const both = rows.filter(
      ({ Archive, Entries }) => Entries !== null && ourLines(Buffer.from(Archive, "base64")) !== undefined,
    );
    expect(both.length).toBeGreaterThan(100);
  });
});
