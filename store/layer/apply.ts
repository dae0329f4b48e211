import { SyscallError } from "../../native/errors.ts";
import type { Dir, Root } from "../../native/path.ts";
import { encodePath, isTooLong, maxName, maxPath } from "../../native/pathname.ts";
import { canOwn, inUserNamespace, unmappedError } from "../../native/user-namespace.ts";
import type { EntryStat } from "./change.ts";
import { EntryFile } from "./entry-file.ts";
import { refused, TargetTree, type OpenPlace, type TreeOptions } from "./target-tree.ts";
import type { TarEntry, TarHandler } from "./tar/reader.ts";
import type { Unsettled } from "./settle.ts";
import { isWhiteout, opaqueMarker, whiteoutPrefix } from "./whiteout.ts";
import { isLayerXattr } from "./xattrs.ts";

/**
 * How entries land: "overlay" makes a layer directory (whiteouts become 0/0 devices), "literal" writes what the
 * archive says, whiteout names and all, over what is there (ADD). `owner`: of everything; undefined: as in the archive.
 */
export type ApplyOptions = TreeOptions;

/** A directory as an archive writes it: its names, and its path. */
interface Written {
  readonly parts: readonly string[];
  readonly above: string;
}

/** The largest number of an owner: the next one means "leave it as it is" to the kernel. */
const maxID = 0xffff_fffe;

/**
 * Writes the entries of an archive below a directory, inside it only: names are cleaned, symlinks on the way to an entry
 * are followed inside the root. A layer knows no others than its own: those of the layers below are hidden by what it has.
 * A later entry takes the place of an earlier one; a whiteout hides what is in the layers below, and nothing else.
 * @throws E_LAYER_ENTRY for entries that cannot be meant well
 */
export class Applier implements TarHandler, Disposable {
  readonly #root: Root;
  readonly #options: ApplyOptions;
  readonly #tree: TargetTree;
  #file: EntryFile | undefined;
  #ownRoot = false;
  #opaqueRoot = false;
  /** The directory of the last entry as the archive writes it, with its slash, and what it means. */
  #written = "";
  #place: Written = { parts: [], above: "" };

  constructor(root: Root, options: ApplyOptions) {
    this.#root = root;
    this.#options = options;
    this.#tree = new TargetTree(root, options);
  }

  /** Whether an entry for the root directory itself came. */
  get ownRoot(): boolean {
    return this.#ownRoot;
  }

  /** What settleLayer() has to do once it is known what is below. */
  get unsettled(): Unsettled {
    return { steps: this.#tree.unsettled(), opaqueRoot: this.#opaqueRoot };
  }

  entry(entry: TarEntry): void {
    const { parts, above, name } = this.#split(entry.path);
    checkStat(entry);
    if (name === undefined) return this.#rootEntry(entry.stat);
    const path = above === "" ? name : `${above}/${name}`;
    this.#checkOwner(path, entry.stat);
    const parent = this.#tree.parent(parts, above);
    if (this.#options.form === "overlay" && name.startsWith(whiteoutPrefix)) return this.#whiteout(parent, path, name);
    if (entry.stat.type === "file") this.#makeFile(parent, name, path, entry);
    else this.#make(parent, name, path, entry.stat);
  }

  data(bytes: Uint8Array): void {
    this.#file?.write(bytes);
  }

  end(): void {
    const file = this.#file;
    if (file === undefined) return;
    this.#file = undefined;
    const { dir, name, stat } = file;
    const { uid, gid } = this.#options.owner ?? stat;
    file.finish({ uid, gid, mode: stat.mode }, stat.mtime);
    if (stat.xattrs === undefined) return;
    this.#setMetadata(dir, name, stat);
    dir.utimens(name, stat.mtime);
  }

  /** To be called once after the last entry. */
  finish(): void {
    this.#tree.finish();
  }

  [Symbol.dispose](): void {
    this.#file?.[Symbol.dispose]();
    this.#file = undefined;
    this.#tree[Symbol.dispose]();
  }

  /** Of an entry in the same directory as the one before, as nearly all are, only the name is looked at. */
  #split(path: string): Written & { readonly name: string | undefined } {
    const at = path.lastIndexOf("/") + 1;
    const name = path.slice(at);
    const usual = at > 0 && isName(name) && name.length <= maxName / 3 && path.length <= maxPath / 3;
    if (usual && at === this.#written.length && path.startsWith(this.#written)) {
      const { parts, above } = this.#place;
      return { parts, above, name };
    }
    const parts = cleanParts(path);
    const last = parts.pop();
    const place = { parts, above: parts.join("/") };
    if (usual) [this.#written, this.#place] = [path.slice(0, at), place];
    return { ...place, name: last };
  }

  /** The kernel would only say EINVAL. */
  #checkOwner(path: string, { uid, gid }: EntryStat): void {
    if (this.#options.owner === undefined && inUserNamespace() && !canOwn(uid, gid))
      throw unmappedError(`Cannot unpack /${path}: its owner`, uid, gid);
  }

  /** Something else than a directory is passed over with its content, as by docker and containerd. */
  #rootEntry(stat: EntryStat): void {
    if (stat.type !== "directory" || this.#options.form === "literal") return;
    const { uid, gid } = this.#options.owner ?? stat;
    this.#root.chown(".", uid, gid);
    this.#root.chmod(".", stat.mode);
    this.#ownRoot = true;
  }

  #whiteout(parent: OpenPlace, path: string, name: string): void {
    if (name === opaqueMarker) return this.#opaque(parent);
    const hidden = name.slice(whiteoutPrefix.length);
    if (hidden === "" || hidden === "." || hidden === "..") throw refused(path, "it hides nothing");
    // Docker's own bookkeeping names (.wh..wh.*) are not files of the image.
    if (!hidden.startsWith(whiteoutPrefix)) this.#hide(parent, hidden);
  }

  #opaque({ dir, place }: OpenPlace): void {
    if (place.above === undefined) this.#opaqueRoot = true;
    else this.#tree.hideBelow(dir, ".");
  }

  /** Hides what the layers below have under a name. What this layer has there stays, wherever it comes in the archive. */
  #hide({ dir, place }: OpenPlace, name: string): void {
    const existing = dir.stat(name);
    if (existing === undefined) {
      dir.mknod(name, "char", 0, 0, 0);
      place.hide(name);
    } else if (existing.type === "directory") {
      this.#tree.hideBelow(dir, name);
      place.enter(name).implied = false;
    }
  }

  /** Nearly every name is free: it is looked at only when making the file says that it is not. */
  #makeFile(parent: OpenPlace, name: string, path: string, entry: TarEntry): void {
    this.#file = EntryFile.create(parent, name, entry);
    if (this.#file !== undefined) return;
    this.#tree.remove(parent, name);
    this.#file = EntryFile.create(parent, name, entry);
    if (this.#file === undefined) throw refused(path, "something else makes files there");
  }

  #make(parent: OpenPlace, name: string, path: string, stat: EntryStat): void {
    const { dir } = parent;
    const existing = dir.stat(name);
    if (stat.type === "directory") {
      const place = this.#tree.makeDirectory(parent, name, existing);
      this.#setMetadata(dir, name, stat);
      place.time = stat.mtime;
      place.implied = false;
      return;
    }
    if (existing !== undefined) this.#tree.remove(parent, name);
    this.#makeOther(dir, name, path, stat);
  }

  #makeOther(dir: Dir, name: string, path: string, stat: EntryStat): void {
    switch (stat.type) {
      case "hardlink":
        return this.#hardlink(dir, name, path, stat.linkname ?? "");
      case "symlink":
        dir.symlink(stat.linkname ?? "", name);
        break;
      case "char":
      case "block":
      case "fifo":
        if (this.#device(dir, name, path, stat)) break;
        return;
      case "file":
      case "directory":
        return;
      default:
        return stat.type satisfies never;
    }
    this.#setMetadata(dir, name, stat);
    dir.utimens(name, stat.mtime);
  }

  /** False: left out. A user namespace can make no devices, and none that is in an image can be opened there. */
  #device(dir: Dir, name: string, path: string, stat: EntryStat): boolean {
    const { devmajor = 0, devminor = 0 } = stat;
    if (stat.type !== "char" && stat.type !== "block" && stat.type !== "fifo") return false;
    // A 0/0 device is overlayfs's whiteout: as an entry it would hide files without saying so, with ADD --link too.
    if (stat.type === "char" && devmajor === 0 && devminor === 0)
      throw refused(path, "a character device 0/0 cannot be stored in a layer");
    if (stat.type !== "fifo" && inUserNamespace()) return false;
    dir.mknod(name, stat.type, stat.mode & 0o777, devmajor, devminor);
    return true;
  }

  #hardlink(dir: Dir, name: string, path: string, linkname: string): void {
    const parts = cleanParts(linkname);
    const target = parts.pop();
    if (target === undefined) throw refused(path, "a hard link to nothing");
    using from = this.#tree.find(parts);
    const found = from?.stat(target);
    const whiteout = found !== undefined && this.#options.form === "overlay" && isWhiteout(found);
    if (from === undefined || found === undefined || whiteout)
      throw refused(path, `its hard link target /${[...parts, target].join("/")} is not there`);
    if (found.type === "directory") throw refused(path, "a hard link to a directory");
    dir.link(from, target, name);
  }

  /** Owner before mode and attributes: chown clears setuid and file capabilities. */
  #setMetadata(dir: Dir, name: string, stat: EntryStat): void {
    const { uid, gid } = this.#options.owner ?? stat;
    dir.chown(name, uid, gid);
    if (stat.type === "symlink") return;
    dir.chmod(name, stat.mode);
    for (const [key, value] of stat.xattrs ?? []) {
      if (isLayerXattr(key)) setXattr(dir, name, key, value);
    }
  }
}

/** The parts of an archive's path. @throws E_LAYER_ENTRY for `..` and for what no file system has */
function cleanParts(path: string): string[] {
  if (isTooLong(path)) throw refused(path, "its path is too long");
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") throw refused(path, "`..` in a path");
    if (part.includes("\0")) throw refused(path, "a NUL in a path");
    if (part.length > maxName / 3 && encodePath(part).length > maxName)
      throw refused(path, `a name of more than ${maxName} bytes`);
    parts.push(part);
  }
  return parts;
}

/** Whether the last part of a path is what it says. */
function isName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !name.includes("\0");
}

function setXattr(dir: Dir, name: string, key: string, value: Uint8Array): void {
  try {
    dir.setxattr(name, key, value);
  } catch (error) {
    // The file system has no such attributes, or they are not for this user.
    const ignored = ["ENOTSUP", "EOPNOTSUPP", "EPERM"];
    if (!(error instanceof SyscallError)) throw error;
    const what = key === "security.capability" ? "its capabilities" : `its attribute ${key.slice(0, 100)}`;
    if (!ignored.includes(error.errno) || key === "security.capability")
      throw refused(name, `${what} cannot be set (${error.errno})`);
  }
}

/** What no file can have. */
function checkStat({ path, stat }: TarEntry): void {
  if ([stat.uid, stat.gid].some((id) => id < 0 || id > maxID)) throw refused(path, "its owner is no number of a user");
  const { type, linkname = "" } = stat;
  if (linkname.includes("\0")) throw refused(path, "a NUL in its target");
  if (type === "symlink" && linkname === "") throw refused(path, "a symbolic link to nothing");
  if (type === "symlink" && isTooLong(linkname)) throw refused(path, "its target is too long");
  if ([...(stat.xattrs?.keys() ?? [])].some((key) => key.includes("\0"))) throw refused(path, "a NUL in an attribute");
}
