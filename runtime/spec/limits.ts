/** Limits of a container's cgroup; undefined = inherited. Bytes, microseconds, counts. */
export interface ResourceLimits {
  readonly memory?: number;
  /** Memory plus swap; -1 = no limit. */
  readonly memorySwap?: number;
  readonly cpuQuota?: number;
  readonly cpuPeriod?: number;
  readonly cpuShares?: number;
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
  readonly pids?: number;
}
