import type { DeviceRule } from "../cgroup/device-filter.ts";
import type { DeviceNode, Mount } from "../spec/mount.ts";

/** What a container with these mounts may open: one rule for each device, whatever the number of its nodes. */
export function deviceRules(mounts: readonly Mount[]): readonly DeviceRule[] {
  const rules = new Map<string, DeviceRule>();
  for (const mount of mounts) {
    const rule = mount.kind === "device" ? ruleOf(mount.device) : undefined;
    if (rule === undefined) continue;
    const key = `${rule.kind} ${rule.major}:${rule.minor}`;
    const known = rules.get(key);
    const joined = { ...rule, read: rule.read || known?.read === true, write: rule.write || known?.write === true };
    rules.set(key, known === undefined ? rule : joined);
  }
  return [...rules.values()];
}

function ruleOf(device: DeviceNode): DeviceRule | undefined {
  if (device.kind === "fifo" || (!device.access.read && !device.access.write)) return undefined;
  const { kind, major, minor, access } = device;
  return { kind, major, minor, ...access };
}
