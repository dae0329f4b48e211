import type { ResourceLimits } from "../container/process.ts";
import { TsbuildError } from "../../native/errors.ts";
import { deviceGuard } from "./devices.ts";
import { processGroup, removeGroup } from "./process-group.ts";
import { findControllers, type Controllers } from "./controllers.ts";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A container's control groups. */
export interface Cgroup extends Disposable {
  /** Files that its first process joins by: one for each limited controller on v1. */
  readonly procs: readonly string[];
  /** The v2 group that its first process is cloned into. */
  readonly into: string | undefined;
  /** Whether nothing but `nodev` mounts and a missing CAP_MKNOD keep it from devices. @see DeviceGuard */
  readonly nodev: boolean;
  /** Whether the host has only the unified hierarchy, which a container may then see. */
  readonly unified: boolean;
  oomKilled(): boolean;
}

type ControllerName = "memory" | "cpu" | "cpuset" | "pids";

/** One file of a controller with what is written to it. */
interface Setting {
  readonly controller: ControllerName;
  readonly file: string;
  readonly value: string;
  /** Nobody asked for it: a kernel without the file is no error. */
  readonly byDefault?: boolean;
}

/**
 * Makes the control groups that the limits need. The pid namespace already kills every process of a container, so
 * containers without limits share one group, which keeps them from devices: that saves their start several directories.
 * `devices`: it may have any. @throws E_CGROUP_LIMIT when a limit was asked for and its controller is not there
 */
export function openCgroup(id: string, limits: ResourceLimits, allowed: { readonly devices?: boolean } = {}): Cgroup {
  const controllers = findControllers();
  const guard = allowed.devices === true ? undefined : deviceGuard();
  const groups: string[] = [];
  try {
    const into = makeGroupV2(id, limits, controllers, groups);
    const procs = makeGroupsV1(id, limits, controllers, groups).map((group) => join(group, "cgroup.procs"));
    return {
      procs: guard?.kind === "v1" ? [...procs, guard.procs] : procs,
      into: into ?? (guard?.kind === "v2" ? guard.group : undefined),
      nodev: guard?.kind === "nodev",
      unified: controllers.kind === "v2",
      oomKilled: () => groups.some(hasOomKill),
      [Symbol.dispose]: () => groups.forEach(removeGroup),
    };
  } catch (error) {
    groups.forEach(removeGroup);
    if (error instanceof TsbuildError && error.code === "E_CGROUP_LIMIT") throw error;
    throw new TsbuildError("Cannot limit the container: the control group refused the value", {
      code: "E_CGROUP_LIMIT",
      cause: error,
      hint: "give another limit, or leave it out",
    });
  }
}

/** One group for all limits whose controllers are on v2; undefined when there is none. */
function makeGroupV2(id: string, limits: ResourceLimits, controllers: Controllers, made: string[]): string | undefined {
  const { unified } = controllers;
  const settings = settingsV2(limits).filter(({ controller }) => isUnified(controllers, controller));
  if (unified === undefined || settings.length === 0) return undefined;
  const names = new Set(settings.map(({ controller }) => controller));
  const base = [unified.own, unified.top].find((directory) => distribute(directory, names));
  if (base === undefined) {
    throw new TsbuildError(`Cannot limit the container: ${[...names].join(", ")} cannot be handed to a group of ours`, {
      code: "E_CGROUP_LIMIT",
      notes: [`the group ${unified.own} has processes of its own`],
      hint: "leave the limit out, or run tsbuild in a delegated group: systemd-run --scope -p Delegate=yes",
    });
  }
  const parent = processGroup(base, "v2");
  for (const directory of [join(base, "tsbuild"), parent]) distribute(directory, names);
  const group = join(parent, id);
  mkdirSync(group);
  made.push(group);
  for (const setting of settings) apply(group, setting);
  return group;
}

/** Hands the controllers to the groups below. False where that is not allowed: a v2 group with processes cannot. */
function distribute(directory: string, names: ReadonlySet<string>): boolean {
  try {
    writeFileSync(join(directory, "cgroup.subtree_control"), [...names].map((name) => `+${name}`).join(" "));
    return true;
  } catch {
    return false;
  }
}

function makeGroupsV1(id: string, limits: ResourceLimits, controllers: Controllers, made: string[]): readonly string[] {
  const groups = new Map<string, string>();
  for (const setting of settingsV1(limits)) {
    const { controller } = setting;
    if (isUnified(controllers, controller)) continue;
    const directory = controllerDirectory(controllers, controller);
    let group = groups.get(directory);
    if (group === undefined) {
      const parent = processGroup(directory, "v1");
      group = join(parent, id);
      mkdirSync(group);
      made.push(group);
      groups.set(directory, group);
      if (directory === controllers.directories.get("cpuset"))
        for (const at of [join(directory, "tsbuild"), parent, group]) inheritCpuset(directory, at);
    }
    apply(group, setting);
  }
  return [...groups.values()];
}

function apply(group: string, { file, value, byDefault }: Setting): void {
  const path = join(group, file);
  if (byDefault !== true || existsSync(path)) writeFileSync(path, value);
}

function isUnified({ unified, directories }: Controllers, name: string): boolean {
  const directory = directories.get(name);
  return unified !== undefined && (directory === unified.own || directory === unified.top);
}

function controllerDirectory(controllers: Controllers, name: string): string {
  const directory = controllers.directories.get(name);
  if (directory !== undefined) return directory;
  throw new TsbuildError(`Cannot limit the container: this machine has no ${name} control group`, {
    code: "E_CGROUP_LIMIT",
    hint: "leave the limit out, or mount the controller",
  });
}

/** A v1 cpuset takes no process before it has processors and memory nodes. */
function inheritCpuset(from: string, to: string): void {
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    if (readFileSync(join(to, file), "utf8").trim() === "")
      writeFileSync(join(to, file), readFileSync(join(from, file)));
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
    ...setting("memory", "memory.memsw.limit_in_bytes", memorySwap),
    ...(memorySwap === undefined ? defaultSwap("memory.memsw.limit_in_bytes", memory, 2) : []),
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
    ...(swap === undefined ? defaultSwap("memory.swap.max", memory, 1) : []),
    ...setting("cpu", "cpu.max", cpuQuota === undefined ? undefined : `${cpuQuota} ${cpuPeriod ?? 100_000}`),
    ...setting("cpu", "cpu.weight", weight),
    ...setting("cpuset", "cpuset.cpus", cpusetCpus),
    ...setting("cpuset", "cpuset.mems", cpusetMems),
    ...setting("pids", "pids.max", pids),
  ];
}

/** As docker: without a word about swap there may be as much of it as memory. */
function defaultSwap(file: string, memory: number | undefined, factor: number): readonly Setting[] {
  return setting("memory", file, memory === undefined ? undefined : memory * factor).map((one) => ({
    ...one,
    byDefault: true,
  }));
}

function setting(
  controller: Setting["controller"],
  file: string,
  value: string | number | undefined,
): readonly Setting[] {
  return value === undefined ? [] : [{ controller, file, value: String(value) }];
}
