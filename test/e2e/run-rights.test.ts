import { readlinkSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { fromBusybox, Project } from "../rig/project.ts";

describe("RUN --network", () => {
  it("has only lo with none, and the host's network when that is allowed", async () => {
    using project = new Project({
      Dockerfile: `${fromBusybox}RUN --network=none ls /sys/class/net
RUN --network=host busybox readlink /proc/self/ns/net
`,
    });
    const { error, log } = await project.build({ allow: ["network.host"] });
    expect(error).toBeUndefined();
    expect(log).toBe(`lo\n${readlinkSync("/proc/self/ns/net")}\n`);
  });

  it("of the build is that of a RUN with default", async () => {
    using project = new Project({ Dockerfile: `${fromBusybox}RUN --network=default ls /sys/class/net\n` });
    expect((await project.build({ network: "none" })).log).toBe("lo\n");
  });
});

describe("RUN --security", () => {
  const dockerfile = `${fromBusybox}RUN mkdir /m && ! mount -t tmpfs tmpfs /m 2>/dev/null && grep Seccomp: /proc/self/status
RUN --security=insecure mount -t tmpfs tmpfs /m && grep -E 'CapEff|Seccomp:' /proc/self/status && mknod /null c 1 3 && echo > /null && rm /null
RUN --security=sandbox ! mount -t tmpfs tmpfs /m 2>/dev/null
`;

  it("insecure may mount and make devices, and has no filter; others may not", async () => {
    using project = new Project({ Dockerfile: dockerfile });
    const { error, log } = await project.build({ allow: ["security.insecure"] });
    expect(error).toBeUndefined();
    const capabilities = BigInt(`0x${/CapEff:\s*(\w+)/.exec(log)?.[1] ?? ""}`);
    expect(capabilities & (1n << 21n)).not.toBe(0n);
    expect([...log.matchAll(/Seccomp:\s*(\d)/g)].map(([, mode]) => mode)).toEqual(["2", "0"]);
  });
});

describe("what a RUN may not have", () => {
  it.each([
    ["--network=host", "E_ENTITLEMENT", "network.host is not allowed", "--allow network.host"],
    ["--security=insecure", "E_ENTITLEMENT", "security.insecure is not allowed", "--allow security.insecure"],
    ["--network=hst", "E_RUN_FLAG", '--network cannot be "hst"', "--network=host"],
    ["--security=unsafe", "E_RUN_FLAG", '--security cannot be "unsafe"', "sandbox, insecure"],
  ])("is refused: %s", async (flag, code, message, hint) => {
    using project = new Project({ Dockerfile: `${fromBusybox}RUN ${flag} true\n` });
    const { error } = await project.build();
    expect(error).toMatchObject({ code, location: { start: { line: 3, column: 5 } } });
    expect(String(error)).toContain(message);
    expect(error).toMatchObject({ hint: expect.stringContaining(hint) });
  });
});

describe("limits of every RUN", () => {
  it("are hosts, resource limits of processes and the size of /dev/shm; addresses are in no key", async () => {
    using project = new Project({
      Dockerfile: `${fromBusybox}RUN grep pgsql /etc/hosts && ulimit -Sn && ulimit -Hn && stat -f -c %b-%S /dev/shm\n`,
    });
    const options = { ulimits: [{ name: "nofile", soft: 100, hard: 200 }], shmSize: 1 << 20 } as const;
    const hosts = [{ name: "pgsql", address: "10.1.2.3" }];
    const { error, log } = await project.build({ ...options, addHosts: hosts });
    expect(error).toBeUndefined();
    expect(log).toBe("10.1.2.3\tpgsql\n100\n200\n256-4096\n");
    expect((await project.build({ ...options, addHosts: [{ name: "pgsql", address: "::1" }] })).log).toBe("");
    expect((await project.build({ ...options, shmSize: 2 << 20, addHosts: hosts })).log).toContain("512-4096");
  });

  it("end a step that takes more memory, and say so", async () => {
    using project = new Project({
      Dockerfile: `${fromBusybox}RUN --mount=type=tmpfs,target=/t head -c 100000000 /dev/zero > /t/x\n`,
    });
    const { error } = await project.build({ resources: { memory: 32 << 20, memorySwap: 32 << 20 } });
    expect(error).toMatchObject({ code: expect.stringMatching(/E_RUN_FAILED|E_CGROUP_LIMIT/) });
  });
});
