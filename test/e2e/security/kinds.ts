// Started by cgroup-kinds.test.ts in a mount namespace where other hierarchies are mounted. Prints JSON.
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
const result = {
  kind: findControllers().kind,
  guard: deviceGuard().kind,
  output: (await box.sh(script)).output,
  limited,
};
console.log(JSON.stringify(result)); // oxlint-disable-line no-console -- it is the script's output
