import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { deviceGuard } from "../../../runtime/cgroup/devices.ts";
import { capabilityNames } from "../../../runtime/security/capabilities.ts";
import { batteryLines, callsThrough, filesOpened } from "./battery.ts";
import { mountsOf } from "../../rig/mounts.ts";
import { Box } from "./container.ts";

describe.each([false, true])("a RUN container, with init %s", (init) => {
  const box = new Box();
  let output = "";
  const snapshot = (): object => ({
    pattern: readFileSync("/proc/sys/kernel/core_pattern", "utf8"),
    mounts: mountsOf(box.directory, ["/tmp", "/proc/sys"]),
  });
  const before = snapshot();
  beforeAll(async () => {
    box.compile(join(import.meta.dirname, "battery.c"), "battery");
    output = (await box.run(["/bin/battery"], { init })).output;
    return () => box[Symbol.dispose]();
  });

  it("can make none of the dangerous system calls, by none of the three entries", () => {
    expect(batteryLines(output, "call").length).toBeGreaterThan(75);
    expect(callsThrough(output)).toEqual([]);
  });

  it("may do what Docker's capabilities mean, and nothing of it that SECURITY.md does not name", () => {
    const done = batteryLines(output, "left").filter(({ result }) => result === "done");
    const allowed = ["chroot", "socket-packet", "socket-raw", "socket-netlink-audit", "mknod", "process_vm_readv-own"];
    // A kernel without AF_XDP answers that it knows no such family.
    expect(done.map(({ name }) => name).filter((name) => name !== "socket-xdp")).toEqual(allowed);
  });

  it("opens no file of the kernel for writing, reads none that is masked, and opens no device that it made", () => {
    expect(batteryLines(output, "file").length).toBeGreaterThan(50);
    expect(filesOpened(output)).toEqual([]);
  });

  it("has Docker's 14 capabilities, none of them inheritable or ambient, a filter, and descriptors 0, 1 and 2", () => {
    const state = (key: string): string => new RegExp(`^state ${key}:\\s+(.*)$`, "m").exec(output)?.[1] ?? "";
    expect([state("CapInh"), state("CapAmb")]).toEqual(["0000000000000000", "0000000000000000"]);
    // Without a control group for its devices it has no CAP_MKNOD.
    const granted = deviceGuard().kind === "nodev" ? "00000000a00425fb" : "00000000a80425fb";
    expect([state("CapBnd"), state("CapEff"), state("CapPrm")]).toEqual(Array.from({ length: 3 }, () => granted));
    expect(state("Seccomp")).toBe("2");
    expect(output.match(/^state fd .*$/gm)).toEqual(["state fd 0", "state fd 1", "state fd 2"]);
    expect(output).toContain("state parent-of-root itself");
  });

  it("leaves the host as it was", () => {
    expect(snapshot()).toEqual(before);
  });

  it("reaches the dangerous calls when it is unconfined with all capabilities: the battery can succeed", async () => {
    const own = BigInt(`0x${/^CapEff:\s+(.*)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0"}`);
    const capabilities = capabilityNames.filter((_, bit) => ((own >> BigInt(bit)) & 1n) === 1n);
    const free = await box.run(["/bin/battery", "calls"], { seccomp: "unconfined", capabilities });
    const reached = batteryLines(free.output, "call").filter(({ result }) => result !== "EPERM" && result !== "ENOSYS");
    expect(reached.length).toBeGreaterThan(45);
  });

  it("as another user has no capability at all", async () => {
    const { output: text } = await box.sh("busybox grep Cap /proc/self/status", {
      user: { uid: 1000, gid: 1000, additionalGids: [] },
    });
    expect(text.match(/Cap(?:Inh|Prm|Eff|Amb):\s+0{16}$/gm)).toHaveLength(4);
  });

  it("sees no process, no host name, no mount source and no environment of the host", async () => {
    const { output: text } = await box.sh(
      "echo pids; busybox ls /proc | busybox grep -c '^[0-9]'; busybox hostname; busybox tr '\\0' '\\n' < /proc/1/environ; busybox cat /proc/self/cgroup",
    );
    const lines = text.split("\n");
    expect(Number(lines[1])).toBeLessThanOrEqual(4);
    expect(lines[2]).toBe("box");
    expect(text).not.toMatch(/HOME=|tsbuild/);
    expect(lines.filter((line) => /^\d+:/.test(line) && !line.endsWith(":/"))).toEqual([]);
  });

  it("cannot keep a session keyring of the host", async () => {
    const { output: text } = await box.sh("busybox cat /proc/keys; busybox cat /proc/key-users; echo end");
    expect(text).not.toMatch(/_ses/);
  });
});
