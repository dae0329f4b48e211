import type { ResourceLimits } from "../container/process.ts";
import { TsbuildError } from "../../native/errors.ts";
import { findControllers, type Controllers } from "./controllers.ts";
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A container's control groups: one on v2, one for each limited controller on v1, none where nothing is limited. */
export interface Cgroup extends Disposable {
  /** Files that a process joins by. */
  readonly procs: readonly string[];
  /** Whether the host has only the unified hierarchy, which a container may then see. */
  readonly unified: boolean;
  oomKilled(): boolean;
}

/** One file of a controller with what is written to it. */
interface Setting {
  readonly controller: "memory" | "cpu" | "cpuset" | "pids";
  readonly file: string;
  readonly value: string;
}

/**
 * Makes the control groups that the limits need. The pid namespace already kills every process of a container, so
 * a container without limits joins none: that saves its start several directories.
 * @throws E_CGROUP_LIMIT when a limit was asked for and its controller is not there
 */
export function openCgroup(id: string, limits: ResourceLimits): Cgroup {
  const controllers = findControllers();
  const unified = controllers.kind === "v2";
  const settings = unified ? settingsV2(limits) : settingsV1(limits);
  if (settings.length === 0) {
    return { procs: [], unified, oomKilled: () => false, [Symbol.dispose]: () => undefined };
  }
  const groups = new Map<string, string>();
  try {
    for (const setting of settings) {
      const directory = controllerDirectory(controllers, setting.controller);
      const group = groups.get(directory) ?? makeGroup(directory, id, controllers);
      groups.set(directory, group);
      writeFileSync(join(group, setting.file), setting.value);
    }
  } catch (error) {
    groups.forEach(removeGroup);
    if (error instanceof TsbuildError) throw error;
    throw new TsbuildError("Cannot limit the container: the control group refused the value", {
      code: "E_CGROUP_LIMIT",
      cause: error,
    });
  }
  return {
    procs: [...groups.values()].map((group) => join(group, "cgroup.procs")),
    unified,
    oomKilled: () => [...groups.values()].some(hasOomKill),
    [Symbol.dispose]: () => groups.forEach(removeGroup),
  };
}

function controllerDirectory(controllers: Controllers, name: string): string {
  const directory = controllers.directories.get(name);
  if (directory !== undefined) return directory;
  throw new TsbuildError(`Cannot limit the container: this machine has no ${name} control group`, {
    code: "E_CGROUP_LIMIT",
    hint: "leave the limit out, or mount the controller",
  });
}

/** `tsbuild/ID` below the process's own group. */
function makeGroup(directory: string, id: string, controllers: Controllers): string {
  const parent = join(directory, "tsbuild");
  mkdirSync(parent, { recursive: true });
  if (controllers.kind === "v2") {
    for (const at of [directory, parent]) delegate(at);
  } else if (directory === controllers.directories.get("cpuset")) {
    for (const at of [parent]) inheritCpuset(directory, at);
  }
  const group = join(parent, id);
  mkdirSync(group);
  if (directory === controllers.directories.get("cpuset") && controllers.kind !== "v2") inheritCpuset(parent, group);
  return group;
}

function delegate(directory: string): void {
  const file = join(directory, "cgroup.subtree_control");
  for (const name of ["memory", "cpu", "cpuset", "pids"]) {
    try {
      writeFileSync(file, `+${name}`);
    } catch {
      continue; // Not there or not ours: the write of the limit itself tells.
    }
  }
}

/** A v1 cpuset takes no process before it has processors and memory nodes. */
function inheritCpuset(from: string, to: string): void {
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    if (readFileSync(join(to, file), "utf8").trim() === "")
      writeFileSync(join(to, file), readFileSync(join(from, file)));
  }
}

function removeGroup(group: string): void {
  for (let tries = 0; tries < 50; tries++) {
    try {
      return rmdirSync(group);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EBUSY")) return;
      // The last process is gone but not yet accounted for.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
    }
  }
}

function hasOomKill(group: string): boolean {
  for (const file of ["memory.events", "memory.oom_control"]) {
    try {
      const match = /^oom_kill (\d+)$/m.exec(readFileSync(join(group, file), "utf8"));
      if (match !== null && Number(match[1]) > 0) return true;
    } catch {
      continue;
    }
  }
  return false;
}

function settingsV1(limits: ResourceLimits): readonly Setting[] {
  const { memory, memorySwap, cpuQuota, cpuPeriod, cpuShares, cpusetCpus, cpusetMems, pids } = limits;
  return [
    ...setting("memory", "memory.limit_in_bytes", memory),
    ...setting("cpu", "cpu.cfs_period_us", cpuPeriod),
    ...setting("cpu", "cpu.cfs_quota_us", cpuQuota),
    ...setting("cpu", "cpu.shares", cpuShares),
    ...setting("cpuset", "cpuset.cpus", cpusetCpus),
    ...setting("cpuset", "cpuset.mems", cpusetMems),
    ...setting("pids", "pids.max", pids),
    ...(memorySwap === undefined ? [] : setting("memory", "memory.memsw.limit_in_bytes", memorySwap)),
  ];
}

function settingsV2(limits: ResourceLimits): readonly Setting[] {
  const { memory, memorySwap, cpuQuota, cpuPeriod, cpuShares, cpusetCpus, cpusetMems, pids } = limits;
  const swap = memorySwap === undefined ? undefined : memorySwap < 0 ? "max" : memorySwap - (memory ?? 0);
  // The weight that gives the same share: both scales are mapped as runc does.
  const weight = cpuShares === undefined ? undefined : 1 + Math.floor(((cpuShares - 2) * 9999) / 262_142);
  return [
    ...setting("memory", "memory.max", memory),
    ...setting("memory", "memory.swap.max", swap),
    ...setting("cpu", "cpu.max", cpuQuota === undefined ? undefined : `${cpuQuota} ${cpuPeriod ?? 100_000}`),
    ...setting("cpu", "cpu.weight", weight),
    ...setting("cpuset", "cpuset.cpus", cpusetCpus),
    ...setting("cpuset", "cpuset.mems", cpusetMems),
    ...setting("pids", "pids.max", pids),
  ];
}

function setting(
  controller: Setting["controller"],
  file: string,
  value: string | number | undefined,
): readonly Setting[] {
  return value === undefined ? [] : [{ controller, file, value: String(value) }];
}
