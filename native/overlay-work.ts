import { Root } from "./path.ts";
import { encodeCString } from "./pathname.ts";
import { tryCall } from "./syscall.ts";

const AT_FDCWD = -100;
const AT_REMOVEDIR = 0x200;

/** What a mount without any sync leaves behind, from the inside out. */
const leftBehind = ["work/incompat/volatile/dirty", "work/incompat/volatile", "work/incompat", "work"];

/** Removes what a mount left in an overlay's work directory: the next one would refuse it. */
export function clearWorkDirectory(path: string): void {
  if (leftBehind.every((name, at) => removed(`${path}/${name}`, at === 0 ? 0 : AT_REMOVEDIR))) return;
  using directory = Root.open(path);
  for (const name of directory.names()) directory.removeTree(name);
}

function removed(path: string, flags: number): boolean {
  const expected = ["ENOENT", "ENOTEMPTY", "ENOTDIR", "EISDIR"];
  return tryCall(expected, "unlinkat", path, AT_FDCWD, encodeCString(path), flags) !== undefined;
}
