import { readFileSync, readlinkSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { ContainerRig } from "../../rig/container.ts";

const rig = new ContainerRig();
afterAll(() => rig[Symbol.dispose]());

describe("a container", () => {
  it("has pid, mount, ipc, uts, cgroup and network namespaces of its own", async () => {
    const names = ["pid", "mnt", "ipc", "uts", "cgroup", "net"];
    const inside = await rig.output(`for n in ${names.join(" ")}; do readlink /proc/self/ns/$n; done; hostname`);
    const lines = inside.split("\n");
    for (const [at, name] of names.entries()) expect(lines[at]).not.toBe(readlinkSync(`/proc/self/ns/${name}`));
    expect(lines.at(-1)).toBe("box");
  });

  it("shares the host's network when it says so, and no other namespace", async () => {
    const inside = await rig.output("readlink /proc/self/ns/net; readlink /proc/self/ns/ipc", { network: "host" });
    expect(inside.split("\n")[0]).toBe(readlinkSync("/proc/self/ns/net"));
    expect(inside.split("\n")[1]).not.toBe(readlinkSync("/proc/self/ns/ipc"));
  });

  it("sees its own processes only, with an init as PID 1 if it is to have one", async () => {
    const script = "echo /proc/[0-9]*; cat /proc/1/comm; true";
    expect(await rig.output(script)).toBe("/proc/1\nsh");
    expect(await rig.output(script, { init: true })).toBe("/proc/1 /proc/2\ntsbuild-init");
  });

  it("has a loopback interface that is up, and nothing else, with network none", async () => {
    const interfaces = await rig.output(
      "ls /sys/class/net; cat /sys/class/net/lo/flags; ping -c1 -W1 127.0.0.1 >/dev/null",
    );
    expect(interfaces).toMatch(/^lo\n0x9$/);
  });

  it("starts with descriptors 0, 1 and 2 only, standard input empty", async () => {
    const fds = await rig.output("ls /proc/self/fd; wc -c < /dev/stdin");
    // The 3 is that of ls itself.
    expect(fds.split("\n")).toEqual(["0", "1", "2", "3", "0"]);
  });

  it("has exactly Docker's default capabilities, none of them inheritable or ambient", async () => {
    const status = await rig.output("grep -E '^(Cap|NoNewPrivs|Seccomp:|Groups)' /proc/self/status");
    expect(Object.fromEntries(status.split("\n").map((line) => line.split(":\t")))).toEqual({
      CapInh: "0000000000000000",
      CapPrm: "00000000a80425fb",
      CapEff: "00000000a80425fb",
      CapBnd: "00000000a80425fb",
      CapAmb: "0000000000000000",
      NoNewPrivs: "0",
      Seccomp: "2",
      Groups: " ",
    });
  });

  it("gives another user no capability but the bounding set, and the groups asked for", async () => {
    const user = { uid: 1000, gid: 1001, additionalGids: [7, 2000] };
    const status = await rig.output("grep -E '^(Cap|Uid|Gid|Groups)' /proc/self/status", { user });
    expect(Object.fromEntries(status.split("\n").map((line) => line.split(":\t")))).toEqual({
      Uid: "1000\t1000\t1000\t1000",
      Gid: "1001\t1001\t1001\t1001",
      Groups: "7 2000 ",
      CapInh: "0000000000000000",
      CapPrm: "0000000000000000",
      CapEff: "0000000000000000",
      CapBnd: "00000000a80425fb",
      CapAmb: "0000000000000000",
    });
  });

  it("sees no host path in its mounts but those of its layers", async () => {
    const table = await rig.output("cut -d' ' -f4,5,9 /proc/self/mountinfo");
    expect(table).toContain("/ / overlay");
    expect(
      table
        .split("\n")
        .filter((line) => !line.startsWith("/ "))
        .every((line) => / \/(dev|proc|sys)\//.test(line)),
    ).toBe(true);
  });

  it("cannot write the kernel's settings nor see what is masked", async () => {
    const before = readFileSync("/proc/sys/kernel/core_pattern", "utf8");
    const script = `
      for f in /proc/sys/kernel/core_pattern /proc/sysrq-trigger /sys/kernel/uevent_helper; do (echo x > $f) 2>/dev/null && echo wrote $f; done
      cat /proc/kcore /proc/keys /proc/timer_list /proc/interrupts 2>/dev/null | head -c1; ls /sys/firmware /proc/scsi /proc/acpi 2>/dev/null | grep -v :; echo end`;
    expect((await rig.output(script)).replaceAll("\n", "")).toBe("end");
    expect(readFileSync("/proc/sys/kernel/core_pattern", "utf8")).toBe(before);
  });

  it("has the devices that every container has, and opens no other that it makes", async () => {
    const script = `
      ls /dev; echo x > /dev/null; head -c2 /dev/zero | wc -c; head -c3 /dev/urandom | wc -c
      for where in / /dev /tmp /dev/shm; do mknod $where/disk b 7 0 && (: < $where/disk) 2>/dev/null && echo opened $where/disk; rm -f $where/disk; done
      for where in / /dev; do mknod $where/kmsg c 1 11 && (: < $where/kmsg) 2>/dev/null && echo opened $where/kmsg; rm -f $where/kmsg; done; true`;
    expect((await rig.output(script)).split("\n")).toEqual(
      "core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero 2 3".split(" "),
    );
  });

  it("writes to its standard output by name also as another user", async () => {
    const user = { uid: 1000, gid: 1000, additionalGids: [] };
    expect(await rig.output("(echo inner > /dev/stdout) | cat", { user })).toBe("inner");
  });

  it("keeps a read-only root read-only", async () => {
    const { stderr } = await rig.run("echo x > /file", { readonlyRoot: true });
    expect(stderr).toContain("Read-only file system");
  });

  it("cannot trace or read PID 1", async () => {
    const script = `
      for f in exe root cwd fd/4; do readlink /proc/1/$f && echo "read $f"; done
      cat /proc/1/environ && echo "read environ"; true`;
    expect(await rig.output(`{ ${script}\n} 2>/dev/null`, { init: true })).toBe("");
  });
});
