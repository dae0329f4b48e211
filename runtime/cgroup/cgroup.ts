import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { TsbuildError } from "../../native/errors.ts";
import type { ResourceLimits } from "../spec/limits.ts";
import { findControllers, type Controllers } from "./controllers.ts";
import { inheritCpuset } from "./cpuset.ts";
import { filterGroupV1, filterGroupV2, type DeviceRule } from "./device-filter.ts";
import { deviceGuard, type DeviceGuard } from "./devices.ts";
import { ownPlace, parentPlace, type GroupPlace } from "./parent.ts";
import { processGroup, removeGroup } from "./process-group.ts";
import { settingsV1, settingsV2, type Setting } from "./settings.ts";

/** A container's control groups. */
export interface Cgroup extends Disposable {
  /** Files that its first process joins by: one for each hierarchy of v1 that it has a group in. */
  readonly procs: readonly string[];
  /** The v2 group that its first process is cloned into. */
  readonly into: string | undefined;
  /** Whether nothing but `nodev` mounts and a missing CAP_MKNOD keep it from devices. @see DeviceGuard */
  readonly nodev: boolean;
  /** The hierarchies of v1 that it has groups of its own in, which it may see. */
  readonly hierarchies: readonly Hierarchy[];
  /** Whether the host has only the unified hierarchy, which a container may then see. */
  readonly unified: boolean;
  oomKilled(): boolean;
}

/** A hierarchy of v1. */
export interface Hierarchy {
  /** Of its directory in /sys/fs/cgroup. */
  readonly name: string;
  /** Its controllers, or `name=...`. */
  readonly controllers: readonly string[];
}

/** What a container is beside its limits. */
export interface CgroupOptions {
  /** What it may open beside what every container may; "any": everything. */
  readonly devices?: "any" | readonly DeviceRule[];
  /** The path of the group that its own are made in, below the top of every hierarchy. */
  readonly parent?: string;
  /** It sees groups of its own in /sys/fs/cgroup, also without a limit: those of v1 are made for that where they can be. */
  readonly visible?: boolean;
}

/** One container's groups while they are made. */
interface Making {
  readonly id: string;
  readonly controllers: Controllers;
  readonly place: GroupPlace;
  /** undefined: it may open any device. */
  readonly guard: DeviceGuard | undefined;
  readonly rules: readonly DeviceRule[];
  /** Whether it needs groups that no other container has, whatever its limits. */
  readonly apart: boolean;
  readonly inParent: boolean;
  readonly visible: boolean;
  readonly made: string[];
}

/**
 * Makes the control groups that a container needs. The pid namespace already kills every process of a container, so
 * containers without anything special share one group, which keeps them from devices: that saves their start several
 * directories. @throws E_CGROUP_LIMIT when a limit was asked for and its controller is not there, E_CGROUP_PARENT
 */
export function openCgroup(id: string, limits: ResourceLimits, options: CgroupOptions = {}): Cgroup {
  const { devices = [], parent, visible = false } = options;
  const controllers = findControllers();
  const place = parent === undefined ? ownPlace(controllers) : parentPlace(controllers, parent);
  const guard = devices === "any" ? undefined : deviceGuard();
  const rules = devices === "any" ? [] : devices;
  const inParent = parent !== undefined;
  const made: string[] = [];
  const making = { id, controllers, place, guard, rules, apart: inParent || rules.length > 0, inParent, visible, made };
  try {
    const into = makeGroupV2(making, limits);
    const own = makeGroupsV1(making, limits);
    const procs = [...own.values()].map((group) => join(group, "cgroup.procs"));
    return {
      procs: guard?.kind === "v1" && !making.apart ? [...procs, guard.procs] : procs,
      into: into ?? (guard?.kind === "v2" ? guard.group : undefined),
      nodev: guard?.kind === "nodev",
      hierarchies: hierarchiesOf(controllers, place, own),
      unified: controllers.kind === "v2",
      oomKilled: () => made.some(hasOomKill),
      [Symbol.dispose]: () => made.forEach(removeGroup),
    };
  } catch (error) {
    made.forEach(removeGroup);
    if (error instanceof TsbuildError && error.code.startsWith("E_CGROUP_")) throw error;
    throw limitError(error);
  }
}

/** One group for all limits whose controllers are on v2, with its own device filter; undefined when none is needed. */
function makeGroupV2(making: Making, limits: ResourceLimits): string | undefined {
  const { id, controllers, place, guard, made } = making;
  const settings = settingsV2(limits).filter(({ controller }) => isUnified(controllers, controller));
  const filtered = guard?.kind === "v2";
  if (place.unified.length === 0) return undefined;
  if (settings.length === 0 && !making.inParent && !(filtered && making.apart)) return undefined;
  const names = new Set(settings.map(({ controller }) => controller));
  const base = place.unified.find((directory) => names.size === 0 || handOn(making, directory, names));
  if (base === undefined) {
    throw new TsbuildError(`Cannot limit the container: ${[...names].join(", ")} cannot be handed to a group of ours`, {
      code: "E_CGROUP_LIMIT",
      notes: [`the group ${place.unified[0]} has processes of its own`],
      hint: "leave the limit out, or run tsbuild in a delegated group: systemd-run --scope -p Delegate=yes",
    });
  }
  const parent = processGroup(base, "none");
  if (names.size > 0) for (const directory of [join(base, "tsbuild"), parent]) distribute(directory, names);
  const group = join(parent, id);
  mkdirSync(group);
  made.push(group);
  if (filtered) filterGroupV2(group, making.rules);
  for (const setting of settings) apply(group, setting);
  return group;
}

/** Hands the controllers down to the groups of a directory; below a parent from the top on. */
function handOn({ controllers, inParent }: Making, directory: string, names: ReadonlySet<string>): boolean {
  const top = controllers.unified?.top ?? directory;
  if (!inParent) return distribute(directory, names);
  const below = directory
    .slice(top.length)
    .split("/")
    .filter((name) => name !== "");
  const path = below.map((_, at) => join(top, ...below.slice(0, at + 1)));
  return [top, ...path].every((one) => distribute(one, names));
}

/** False where that is not allowed: a v2 group with processes cannot. */
function distribute(directory: string, names: ReadonlySet<string>): boolean {
  try {
    writeFileSync(join(directory, "cgroup.subtree_control"), [...names].map((name) => `+${name}`).join(" "));
    return true;
  } catch {
    return false;
  }
}

/** The hierarchies' directories with the groups that are made below them. */
function makeGroupsV1(making: Making, limits: ResourceLimits): ReadonlyMap<string, string> {
  const { controllers, place, guard, visible } = making;
  const settings = settingsV1(limits).filter(({ controller }) => !isUnified(controllers, controller));
  const devices = guard?.kind === "v1" && making.apart ? place.directories.get("devices") : undefined;
  const wanted = new Set([
    ...settings.map(({ controller }) => controllerDirectory(place, controller)),
    ...(devices === undefined ? [] : [devices]),
    ...(making.inParent ? place.directories.values() : []),
  ]);
  const own = new Map(
    [...wanted].map((directory) => {
      const group = makeGroupV1(making, directory);
      if (directory === devices) filterGroupV1(group, making.rules);
      for (const one of settings) if (place.directories.get(one.controller) === directory) apply(group, one);
      return [directory, group];
    }),
  );
  if (!visible && settings.length === 0) return own;
  // A program that looks for limits wants all controllers. Its devices are those of the group that guards them.
  for (const [name, directory] of place.directories) {
    if (name === "devices" || own.has(directory) || isUnified(controllers, name)) continue;
    try {
      own.set(directory, makeGroupV1(making, directory));
    } catch {
      continue; // not ours to write: then it does not see that one
    }
  }
  return own;
}

function hierarchiesOf(
  { tops }: Controllers,
  { directories }: GroupPlace,
  own: ReadonlyMap<string, string>,
): readonly Hierarchy[] {
  const found = new Map<string, string[]>();
  for (const [controller, top] of tops) {
    if (own.has(directories.get(controller) ?? "")) found.set(top, [...(found.get(top) ?? []), controller]);
  }
  return [...found].map(([top, controllers]) => ({ name: basename(top), controllers }));
}

function makeGroupV1({ id, place, made }: Making, directory: string): string {
  const parent = processGroup(directory, "none");
  const group = join(parent, id);
  mkdirSync(group);
  made.push(group);
  if (directory === place.directories.get("cpuset"))
    for (const at of [join(directory, "tsbuild"), parent, group]) inheritCpuset(directory, at);
  return group;
}

function apply(group: string, { file, value, byDefault }: Setting): void {
  const path = join(group, file);
  if (byDefault !== true || existsSync(path)) writeFileSync(path, value);
}

function isUnified({ unified, directories }: Controllers, name: string): boolean {
  const directory = directories.get(name);
  return unified !== undefined && (directory === unified.own || directory === unified.top);
}

function controllerDirectory({ directories }: GroupPlace, name: string): string {
  const directory = directories.get(name);
  if (directory !== undefined) return directory;
  throw new TsbuildError(`Cannot limit the container: this machine has no ${name} control group`, {
    code: "E_CGROUP_LIMIT",
    hint: "leave the limit out, or mount the controller",
  });
}

function limitError(cause: unknown): TsbuildError {
  const isRefused = cause instanceof Error && "syscall" in cause && cause.syscall === "write";
  return new TsbuildError(
    `Cannot limit the container: ${isRefused ? "the control group refused the value" : "no control group can be made here"}`,
    {
      code: "E_CGROUP_LIMIT",
      cause,
      hint: isRefused
        ? "give another limit, or leave it out"
        : "leave the limit out, or run tsbuild in a delegated group: systemd-run --user --scope -p Delegate=yes",
    },
  );
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
