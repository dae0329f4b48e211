import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { findControllers } from "./controllers.ts";
import { processGroup } from "./process-group.ts";

/**
 * What keeps a container from opening devices that it makes, which Docker's capabilities allow it.
 * "v2": it is cloned into the directory `group`, which has an eBPF filter; this costs no time.
 * "v1": it joins `procs` of the devices controller; moving a process takes the kernel up to 16 ms.
 * "nodev": there is no control group to use. Its file systems must be mounted `nodev`, and CAP_MKNOD be taken away.
 */
export type DeviceGuard =
  | { readonly kind: "v2"; readonly group: string }
  | { readonly kind: "v1"; readonly procs: string }
  | { readonly kind: "nodev" };

let known: DeviceGuard | undefined;

/** The guard of this process's containers; made once, shared by those without limits. */
export function deviceGuard(): DeviceGuard {
  known ??= guardV2() ?? guardV1() ?? { kind: "nodev" };
  return known;
}

function guardV2(): DeviceGuard | undefined {
  const { unified } = findControllers();
  if (unified === undefined) return undefined;
  try {
    const group = join(processGroup(unified.own, "v2"), "steps");
    mkdirSync(group, { recursive: true });
    return { kind: "v2", group };
  } catch {
    return undefined;
  }
}

function guardV1(): DeviceGuard | undefined {
  const base = findControllers().directories.get("devices");
  if (base === undefined) return undefined;
  try {
    return { kind: "v1", procs: join(processGroup(base, "v1"), "cgroup.procs") };
  } catch {
    return undefined;
  }
}
