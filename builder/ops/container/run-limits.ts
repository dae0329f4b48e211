import type { ContainerSpec } from "../../../runtime/index.ts";
import type { Ulimit } from "../../base/ulimit.ts";

/** What a container takes of --ulimit and --shm-size. */
export function limitSpec({
  ulimits = [],
  shmSize,
}: {
  readonly ulimits?: readonly Ulimit[];
  readonly shmSize?: number;
}): Pick<ContainerSpec, "rlimits" | "shmSize"> {
  return {
    ...(ulimits.length === 0
      ? {}
      : { rlimits: ulimits.map(({ name, soft, hard }) => ({ type: `RLIMIT_${name.toUpperCase()}`, soft, hard })) }),
    ...(shmSize === undefined ? {} : { shmSize }),
  };
}
