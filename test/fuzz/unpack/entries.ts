import fc from "fast-check";
import type { EntryStat } from "../../../store/layer/change.ts";
import { tarEnd, tarHeader, tarPadding } from "../../../store/layer/tar/writer.ts";

/** An entry of a hostile archive. */
export interface Entry {
  readonly path: string;
  readonly type: EntryStat["type"];
  readonly mode: number;
  readonly uid: number;
  readonly linkname: string;
  readonly content: string;
  readonly major: number;
  readonly xattr: string | undefined;
}

const plain = fc.constantFrom("a", "b", "c", "l");
const name = fc.oneof(
  { weight: 8, arbitrary: plain },
  { weight: 2, arbitrary: plain.map((one) => `.wh.${one}`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(".wh..wh..opq", ".wh..wh.plnk", ".wh.", ".wh..", ".wh...", "..", ".", "", "n\0"),
  },
);

function paths(outside: readonly string[]): fc.Arbitrary<string> {
  const inside = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join("/"));
  const tame = fc.array(plain, { minLength: 1, maxLength: 3 }).map((names) => names.join("/"));
  return fc.oneof(
    { weight: 8, arbitrary: tame },
    { weight: 4, arbitrary: inside },
    { weight: 1, arbitrary: tame.map((one) => `/${one}`) },
    { weight: 1, arbitrary: tame.map((one) => `./${one}//`) },
    { weight: 1, arbitrary: fc.constantFrom(...outside, "", "/", ".", "./") },
  );
}

/** Lists of entries; `outside` are names for what must not be reached. */
export function entryLists(outside: readonly string[]): fc.Arbitrary<readonly Entry[]> {
  const path = paths(outside);
  const types = fc.constantFrom<EntryStat["type"][]>(
    "file",
    "file",
    "directory",
    "directory",
    "symlink",
    "hardlink",
    "char",
    "fifo",
  );
  const entry = fc.record({
    path,
    type: types,
    mode: fc.constantFrom(0o644, 0o755, 0o700, 0o4755, 0o1777, 0o2775),
    uid: fc.oneof({ weight: 20, arbitrary: fc.constantFrom(0, 1000) }, fc.constantFrom(4_294_967_294, 4_294_967_295)),
    linkname: fc.oneof(path, fc.constantFrom("a", "../a", "/a", "l", ".", "..", "/", "a/b", "../b/../c", ...outside)),
    content: fc.constantFrom("", "x", "yy"),
    major: fc.oneof({ weight: 9, arbitrary: fc.constant(10) }, fc.constant(0)),
    xattr: fc.option(
      fc.constantFrom(
        "user.a",
        "trusted.overlay.opaque",
        "trusted.overlay.redirect",
        "trusted.a",
        "security.evm",
        "user.\0",
      ),
      {
        nil: undefined,
        freq: 12,
      },
    ),
  });
  return fc.array(entry, { minLength: 1, maxLength: 12 });
}

/** What an entry says in the words of a tar header. */
export function statOf({ type, mode, uid, linkname, content, major, xattr }: Entry): EntryStat {
  return {
    type,
    mode,
    uid,
    gid: 5,
    size: type === "file" ? content.length : 0,
    mtime: 1_000_000_000_000_000_000n,
    ...(type === "symlink" || type === "hardlink" ? { linkname } : {}),
    ...(type === "char" ? { devmajor: major, devminor: 0 } : {}),
    ...(xattr === undefined ? {} : { xattrs: new Map([[xattr, Buffer.from("y")]]) }),
  };
}

/** The archive as a hostile registry would make it. */
export function toTar(entries: readonly Entry[]): Buffer {
  const parts = entries.flatMap((entry) => {
    const stat = statOf(entry);
    const content = Buffer.from(entry.type === "file" ? entry.content : "");
    return [tarHeader(entry.path, stat), content, tarPadding(content.length)];
  });
  return Buffer.concat([...parts, tarEnd]);
}
