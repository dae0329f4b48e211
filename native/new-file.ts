import { setFdMode, setFdOwner } from "./file.ts";
import { statFd } from "./path.ts";

/** What a file has beside its content and time. */
export interface Ownership {
  readonly uid: number;
  readonly gid: number;
  /** 0-0o7777 */
  readonly mode: number;
}

/**
 * What files get in a directory when nothing else is said, by the mode asked for: umask, setgid and default ACLs make
 * of it what they will, but the same for each file. Spares two calls for each that gets what it should have at once.
 */
export class CreationDefaults {
  readonly #known = new Map<number, Ownership>();

  /** `fd`: a file just made in the directory with the mode. */
  of(fd: number, mode: number): Ownership {
    const known = this.#known.get(mode) ?? statFd(fd);
    this.#known.set(mode, known);
    return known;
  }
}

/** The mode to make a file with that shall have this one: the rest is for its owner, once it has one. */
export function creationMode(mode: number): number {
  return mode & 0o777;
}

/** Changes what a new file got to what it shall have. Owner first: chown clears setuid bits and file capabilities. */
export function setOwnership(fd: number, got: Ownership, wanted: Ownership): void {
  if (got.uid !== wanted.uid || got.gid !== wanted.gid) setFdOwner(fd, wanted.uid, wanted.gid);
  if (got.mode !== wanted.mode) setFdMode(fd, wanted.mode);
}
