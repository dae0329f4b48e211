import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { TsbuildError } from "../../native/errors.ts";
import { isAt, tryLockExisting, type FileLock } from "../../native/lock.ts";
import { atEnd } from "../../native/process-end.ts";
import { findControllers } from "./controllers.ts";
import { filterGroupV1, filterGroupV2 } from "./device-filter.ts";

const groups = new Map<string, string>();
/** Held to the end: what is not locked belongs to a process that is no more. */
const locks: FileLock[] = [];
/** The number alone may be that of another process in another pid namespace. */
const ownName = `${process.pid}.${randomBytes(4).toString("hex")}`;
/** Groups above those, made by this process. */
const parents: string[] = [];
let watching = false;
const told = new Set<string>();
const listeners = new Set<(path: string) => void>();

/**
 * The directory `tsbuild/PID.X` below a group, the parent of groups that this process makes there; it is removed at exit.
 * What dead processes left is swept when the first one is made; they are known by a lock that nobody holds, because their
 * numbers may be those of another pid namespace. With a filter (that of v2, or of v1's devices controller) a container in
 * it can make any node and open only the harmless ones; without one it is `PID.X.open`, and a group inside has a filter of
 * its own: a filter above would hold for it too.
 * @throws an Error of node:fs, or SyscallError, where this process may not
 */
export function processGroup(base: string, filter: "none" | "v1" | "v2"): string {
  const key = `${filter} ${base}`;
  const known = groups.get(key);
  if (known !== undefined) return known;
  const parent = join(base, "tsbuild");
  if (groups.size === 0) sweepAll();
  else sweep(parent);
  const group = join(parent, filter === "none" ? `${ownName}.open` : ownName);
  for (const path of [parent, group]) tellMade(path);
  locks.push(makeLocked(group));
  try {
    if (filter === "v2") filterGroupV2(group, []);
    if (filter === "v1") filterGroupV1(group, []);
  } catch (error) {
    removeEmpty(group);
    removeEmpty(parent);
    throw error;
  }
  watchExit();
  groups.set(key, group);
  return group;
}

/** Makes the group with its parent, which another process may just have removed at its own end, and locks it. */
function makeLocked(group: string): FileLock {
  for (let tries = 0; tries < 100; tries++) {
    mkdirSync(group, { recursive: true });
    const held = lockIfThere(group);
    // Between the two it looked like one of a dead process.
    if (held !== undefined && isAt(group, held.fd)) return held;
    held?.[Symbol.dispose]();
  }
  throw new TsbuildError(`Cannot make the control group ${group}: others remove it`, { code: "E_CGROUP_LIMIT" });
}

function lockIfThere(group: string): FileLock | undefined {
  try {
    return tryLockExisting(group);
  } catch {
    return undefined;
  }
}

/** Tells of every group before it is made that is to be removed when this process is killed, until dispose. */
export function onGroupMade(listener: (path: string) => void): Disposable {
  for (const path of told) listener(path);
  listeners.add(listener);
  return { [Symbol.dispose]: () => listeners.delete(listener) };
}

function tellMade(path: string): void {
  told.add(path);
  for (const listener of listeners) listener(path);
}

/** Has a group removed that this process has made, when it ends and nobody else has put anything there. */
export function removeAtExit(path: string): void {
  tellMade(path);
  parents.push(path);
  watchExit();
}

function watchExit(): void {
  if (!watching) atEnd(removeGroups);
  watching = true;
}

/** In every hierarchy: the process that was killed may have had limits that this one has not. */
function sweepAll(): void {
  const { directories, unified } = findControllers();
  const bases = new Set([...directories.values(), ...(unified === undefined ? [] : [unified.own, unified.top])]);
  for (const base of bases) {
    sweep(join(base, "tsbuild"));
    removeEmpty(join(base, "tsbuild"));
  }
}

function sweep(parent: string): void {
  for (const name of directoriesIn(parent)) {
    if (name.startsWith(ownName) || !/^\d+\.[0-9a-f]{8}(?:\.open)?$/.test(name)) continue;
    using held = lockIfThere(join(parent, name));
    if (held !== undefined) removeTree(join(parent, name));
  }
}

function removeGroups(): void {
  for (const group of groups.values()) {
    removeTree(group);
    removeEmpty(join(group, ".."));
  }
  for (const parent of parents.toReversed()) removeEmpty(parent);
}

/** With those inside, which cannot have any themselves. */
function removeTree(group: string): void {
  for (const name of directoriesIn(group)) removeGroup(join(group, name));
  removeGroup(group);
}

/** Removes a group whose processes have ended; waits up to 100 ms for the kernel to have accounted for the last one. */
export function removeGroup(group: string): void {
  for (let tries = 0; tries < 50 && removeEmpty(group) === "busy"; tries++)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
}

function directoriesIn(group: string): readonly string[] {
  try {
    return readdirSync(group, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  } catch {
    return [];
  }
}

/** A group with processes or groups in it stays. */
function removeEmpty(group: string): "busy" | "done" {
  try {
    rmdirSync(group);
    return "done";
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EBUSY" ? "busy" : "done";
  }
}
