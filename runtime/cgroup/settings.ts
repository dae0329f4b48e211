import type { ResourceLimits } from "../spec/limits.ts";

/** One file of a controller with what is written to it. */
export interface Setting {
  readonly controller: "memory" | "cpu" | "cpuset" | "pids";
  readonly file: string;
  readonly value: string;
  /** Nobody asked for it: a kernel without the file is no error. */
  readonly byDefault?: boolean;
}

export function settingsV1(limits: ResourceLimits): readonly Setting[] {
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

export function settingsV2(limits: ResourceLimits): readonly Setting[] {
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
