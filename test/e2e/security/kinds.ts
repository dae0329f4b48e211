// Started by cgroup-kinds.test.ts in a mount namespace where other hierarchies are mounted. Prints JSON.
import { readFileSync } from "node:fs";
import type { Container } from "../../../runtime/index.ts";
import { findControllers } from "../../../runtime/cgroup/controllers.ts";
import { deviceGuard } from "../../../runtime/cgroup/devices.ts";
import { Box } from "./container.ts";

const script = `for d in /tmp/n /dev/n; do
  busybox mknod $d b 7 0; busybox dd if=$d of=/dev/null count=0
done 2>&1 | busybox grep -c "^dd: can't open"
busybox mkdir /sys/fs/cgroup/x 2>/dev/null && echo made
echo x > /dev/null && busybox head -c 3 /dev/urandom | busybox wc -c
busybox cat /proc/self/cgroup | busybox grep -v ':/$'`;

using box = new Box();
const limited = await box.sh("true", { resources: { pids: 10 } }).then(
  ({ status }) => status.kind,
  (error: unknown) => (error instanceof Error && "code" in error ? error.code : error),
);
const node = { kind: "char", major: 250, minor: 77 } as const;
const owner = { mode: 0o666, uid: 0, gid: 0 };
const device = async (access: { readonly read: boolean; readonly write: boolean }): Promise<unknown> => {
  const mount = {
    kind: "device",
    source: "tmpfs",
    target: "/dev/given",
    attributes: [],
    ...owner,
    device: { ...node, access },
  } as const;
  const opening =
    "busybox dd if=/dev/given of=/dev/null count=0; busybox rm -f /tmp/n2; busybox mknod /tmp/n2 c 250 78; busybox dd if=/tmp/n2 count=0";
  return await box.sh(`(${opening}) 2>&1 | busybox sed 's/.*: //'`, { mounts: [mount] }).then(
    (ended) => ended.output,
    (error: unknown) => (error instanceof Error && "code" in error ? error.code : error),
  );
};
/** Groups of a container with a parent that are not below it. */
async function outsideOfParent(): Promise<unknown> {
  const parent = `/tsbuild-parent-${process.pid}/inner`;
  let outside: readonly string[] = [];
  const look = ({ pid }: Container): void => {
    const mounted = new Set([
      ...findControllers().tops.keys(),
      ...(findControllers().unified === undefined ? [] : [""]),
    ]);
    outside = readFileSync(`/proc/${pid}/cgroup`, "utf8")
      .trim()
      .split("\n")
      .filter((line) => mounted.has(line.split(":")[1] ?? "") && !line.includes(`${parent}/tsbuild/`));
  };
  return await box.during(look, { cgroupParent: parent }).then(
    () => outside,
    (error: unknown) => (error instanceof Error && "code" in error ? error.code : error),
  );
}

const result = {
  outside: await outsideOfParent(),
  device: await device({ read: true, write: true }),
  readOnly: await device({ read: true, write: false }),
  kind: findControllers().kind,
  guard: deviceGuard().kind,
  output: (await box.sh(script)).output,
  limited,
};
console.log(JSON.stringify(result)); // oxlint-disable-line no-console -- it is the script's output
