import type { DeviceFile, Mount } from "../../native/mount.ts";
import type { DeviceRule } from "../cgroup/device-filter.ts";

/** What a container with these mounts may open: one rule for each device, whatever the number of its nodes. */
export function deviceRules(mounts: readonly Mount[]): readonly DeviceRule[] {
  const rules = new Map<string, DeviceRule>();
  for (const { device } of mounts) {
    const rule = device === undefined ? undefined : ruleOf(device);
    if (rule === undefined) continue;
    const key = `${rule.kind} ${rule.major}:${rule.minor}`;
    const known = rules.get(key);
    const joined = { ...rule, read: rule.read || known?.read === true, write: rule.write || known?.write === true };
    rules.set(key, known === undefined ? rule : joined);
  }
  return [...rules.values()];
}

function ruleOf({ kind, major, minor, access }: DeviceFile): DeviceRule | undefined {
  if (kind === "fifo" || (!access.read && !access.write)) return undefined;
  return { kind, major, minor, ...access };
}
