import { mkdirSync, readdirSync, readlinkSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { findControllers } from "./controllers.ts";
import { filterGroupV1, filterGroupV2 } from "./device-filter.ts";

const groups = new Map<string, string>();
let namespace: string | undefined;
/** Groups above those, made by this process. */
const parents: string[] = [];
let watching = false;

/**
 * The directory `tsbuild/PID@NAMESPACE` below a group, the parent of groups that this process makes there; it is removed at exit.
 * What dead processes left is swept when the first one is made. With a filter (that of v2, or of v1's devices controller)
 * a container in it can make any node and open only the harmless ones; without one it is `...-open`, and a group inside
 * has a filter of its own: a filter above would hold for it too.
 * @throws an Error of node:fs, or SyscallError, where this process may not
 */
export function processGroup(base: string, filter: "none" | "v1" | "v2"): string {
  const key = `${filter} ${base}`;
  const known = groups.get(key);
  if (known !== undefined) return known;
  const parent = join(base, "tsbuild");
  const group = join(parent, processGroupName(filter));
  if (groups.size === 0) sweepAll();
  else sweep(parent);
  // With the parent: another process may just have removed it at its own end.
  mkdirSync(group, { recursive: true });
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

/** With the pid namespace: what is dead there is for those in it to tell, and a machine may have several. */
export function processGroupName(filter: "none" | "v1" | "v2", pid: number = process.pid): string {
  namespace ??= /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0] ?? "";
  return `${pid}@${namespace}${filter === "none" ? "-open" : ""}`;
}

/** Has a group removed that this process has made, when it ends and nobody else has put anything there. */
export function removeAtExit(path: string): void {
  parents.push(path);
  watchExit();
}

function watchExit(): void {
  if (!watching) process.once("exit", removeGroups);
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

/** Groups are named for the process that made them. */
function sweep(parent: string): void {
  for (const name of directoriesIn(parent)) {
    const [, pid = "0", where] = /^(\d+)@(\d+)(?:-open)?$/.exec(name) ?? [];
    if (where === namespace && Number(pid) !== process.pid && !isAlive(Number(pid))) removeTree(join(parent, name));
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && "code" in error && error.code === "ESRCH");
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
