import type { InitPlan } from "../../native/plan.ts";
import type { Hierarchy } from "../cgroup/cgroup.ts";
import type { NetworkJoin } from "../network/network.ts";
import { capabilityMask, defaultCapabilities, grantableMask, ownCapabilities } from "../security/capabilities.ts";
import { maskedPaths, readonlyPaths } from "../security/paths.ts";
import type { ContainerSpec } from "../spec/container-spec.ts";
import { systemMounts, userMount, type MountResources } from "./mounts.ts";
import { rlimitNumber } from "./rlimit.ts";

const CLONE = {
  NEWNS: 0x0002_0000,
  NEWCGROUP: 0x0200_0000,
  NEWUTS: 0x0400_0000,
  NEWIPC: 0x0800_0000,
  NEWPID: 0x2000_0000,
  NEWNET: 0x4000_0000,
} as const;
/** Of every container. */
const ownNamespaces = CLONE.NEWNS | CLONE.NEWCGROUP | CLONE.NEWUTS | CLONE.NEWIPC | CLONE.NEWPID;

/** What only the running machine knows: computed before, so that the plan itself is pure. */
export interface PlanResources extends MountResources {
  readonly cgroupProcs: readonly string[];
  /** The v2 group to be cloned into; undefined = none. */
  readonly cgroup: string | undefined;
  readonly seccomp: Uint8Array;
  readonly network: NetworkJoin;
  /** Whether overlays keep their attributes under user.*: they must in a user namespace. */
  readonly userxattr?: boolean;
  /** Whether to mount the unified cgroup hierarchy, read-only. */
  readonly cgroup2: boolean;
  /** The hierarchies of v1 to mount, read-only. */
  readonly hierarchies?: readonly Hierarchy[];
}

/** A container's plan. Pure: the same spec and resources give the same plan. */
export function planContainer(spec: ContainerSpec, resources: PlanResources): InitPlan {
  const { network, nodev } = resources;
  return {
    namespaces: ownNamespaces | (network.kind === "new" ? CLONE.NEWNET : 0),
    cgroupProcs: resources.cgroupProcs,
    cgroup: resources.cgroup ?? "",
    nodev,
    netns: network.kind === "path" ? network.path : "",
    ...rootPlan(spec, resources),
    ...mountPlan(spec, resources),
    hostname: spec.hostname,
    loopbackUp: network.kind === "new",
    terminal: spec.terminal,
    init: spec.init ?? false,
    ...processPlan(spec, resources),
  };
}

function rootPlan(
  { root, readonlyRoot = false }: ContainerSpec,
  { userxattr = false }: PlanResources,
): Pick<InitPlan, "staging" | "root" | "readonlyRoot"> {
  if (root.kind === "bind") return { staging: root.source, root: { kind: "bind", source: root.source }, readonlyRoot };
  const { layers, volatile = false } = root;
  const { lower, upper = "", work = "" } = layers;
  return {
    staging: layers.work ?? lower[0] ?? "",
    root: { kind: "overlay", lower, upper, work, volatile, userxattr },
    readonlyRoot,
  };
}

function mountPlan(
  spec: ContainerSpec,
  resources: PlanResources,
): Pick<InitPlan, "systemMounts" | "mounts" | "masked" | "readonlyPaths"> {
  const { privileged = false, shmSize } = spec;
  const { cgroup2, hierarchies = [] } = resources;
  return {
    systemMounts: systemMounts({ shmSize, writableSys: privileged, cgroup2, hierarchies }),
    mounts: spec.mounts.map((mount) => userMount(mount, resources)),
    masked: privileged ? [] : (spec.maskedPaths ?? maskedPaths),
    readonlyPaths: privileged ? [] : (spec.readonlyPaths ?? readonlyPaths),
  };
}

function processPlan(
  spec: ContainerSpec,
  { nodev, seccomp }: PlanResources,
): Pick<
  InitPlan,
  "limits" | "capabilities" | "noNewPrivs" | "uid" | "gid" | "groups" | "cwd" | "seccomp" | "args" | "env"
> {
  return {
    limits: (spec.rlimits ?? []).map(({ type, soft, hard }) => ({
      resource: rlimitNumber(type),
      soft: BigInt(soft),
      hard: BigInt(hard),
    })),
    capabilities: grantedCapabilities(spec, nodev),
    noNewPrivs: spec.noNewPrivileges ?? false,
    uid: spec.user.uid,
    gid: spec.user.gid,
    groups: spec.user.additionalGids,
    cwd: spec.cwd,
    seccomp,
    args: spec.args,
    env: spec.env,
  };
}

/** Where nothing else keeps the container from devices it must not be able to make any. */
export function grantedCapabilities(spec: ContainerSpec, nodev: boolean): bigint {
  if (spec.privileged === true) return ownCapabilities();
  const mask = grantableMask(spec.capabilities ?? defaultCapabilities);
  return nodev ? mask & ~capabilityMask(["CAP_MKNOD"]) : mask;
}
