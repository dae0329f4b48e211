import { closeSync, constants, mkdirSync, openSync, readdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { attachDeviceFilter } from "../../native/bpf.ts";
import { findControllers } from "./controllers.ts";
import { deviceProgramV2, deviceRulesV1 } from "./device-filter.ts";

const groups = new Map<string, string>();

/**
 * The directory `tsbuild/PID` below a group, the parent of all groups that this process makes there; it is removed at
 * exit. What dead processes left is swept when the first one is made. On v2, and on v1's devices controller, it carries
 * the device filter, so that a container in it can make any node and open only the harmless ones.
 * @throws an Error of node:fs, or SyscallError, where this process may not
 */
export function processGroup(base: string, version: "v1" | "v2" | "v1-devices"): string {
  const key = `${version} ${base}`;
  const known = groups.get(key);
  if (known !== undefined) return known;
  const parent = join(base, "tsbuild");
  if (groups.size === 0) sweepAll();
  else sweep(parent);
  const group = join(parent, String(process.pid));
  // With the parent: another process may just have removed it at its own end.
  mkdirSync(group, { recursive: true });
  try {
    if (version === "v2") filterV2(group);
    if (version === "v1-devices") filterV1(group);
  } catch (error) {
    removeEmpty(group);
    removeEmpty(parent);
    throw error;
  }
  if (groups.size === 0) process.once("exit", removeGroups);
  groups.set(key, group);
  return group;
}

function filterV2(group: string): void {
  const fd = openSync(group, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    attachDeviceFilter(fd, deviceProgramV2());
  } finally {
    closeSync(fd);
  }
}

function filterV1(group: string): void {
  writeFileSync(join(group, "devices.deny"), "a");
  for (const rule of deviceRulesV1) writeFileSync(join(group, "devices.allow"), rule);
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
    if (/^\d+$/.test(name) && Number(name) !== process.pid && !isAlive(Number(name))) removeTree(join(parent, name));
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
