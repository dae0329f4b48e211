import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { addHosts, allowed, cgroupParent, resources, shmSize, ulimits } from "../../../builder/cli/flags/limits.ts";
import { parseSecrets } from "../../../builder/cli/flags/secrets.ts";

describe("flags of limits", () => {
  it.each<[string, unknown, unknown]>([
    [
      "--add-host",
      addHosts(["db:10.0.0.1", "db6=[::1]", "x:fe80::1", "h:host-gateway"]),
      [
        { name: "db", address: "10.0.0.1" },
        { name: "db6", address: "::1" },
        { name: "x", address: "fe80::1" },
        { name: "h", address: "host-gateway" },
      ],
    ],
    [
      "--ulimit",
      ulimits(["nofile=10", "core=0:-1", "stack=-1"]),
      [
        { name: "nofile", soft: 10, hard: 10 },
        { name: "core", soft: 0, hard: -1 },
        { name: "stack", soft: -1, hard: -1 },
      ],
    ],
    ["--shm-size", [shmSize("64m"), shmSize("1024"), shmSize(undefined)], [64 << 20, 1024, undefined]],
    ["--allow", allowed(["network.host", "security.insecure"]), ["network.host", "security.insecure"]],
    [
      "--resource",
      resources([
        "memory=1g,memory-swap=-1",
        "cpu-shares=512,cpu-period=10000,cpu-quota=5000",
        '"cpuset-cpus=0-1,3"',
        "cpuset-mems=0",
      ]),
      {
        memory: 2 ** 30,
        memorySwap: -1,
        cpuShares: 512,
        cpuPeriod: 10_000,
        cpuQuota: 5000,
        cpusetCpus: "0-1,3",
        cpusetMems: "0",
      },
    ],
  ])("%s is read", (_, read, expected) => {
    expect(read).toEqual(expected);
  });

  it.each<[string, () => unknown, string]>([
    ["--add-host without an address", () => addHosts(["db"]), "E_USAGE"],
    ["--add-host with a line break", () => addHosts(["a\nb:10.0.0.1"]), "E_USAGE"],
    ["--add-host with a name for an address", () => addHosts(["db:other"]), "E_USAGE"],
    ["--add-host gateway", () => addHosts(["h:gateway"]), "E_USAGE"],
    ["--cgroup-parent", () => cgroupParent("x.slice"), "E_CGROUP_PARENT"],
    ["--ulimit of another name", () => ulimits(["files=1"]), "E_USAGE"],
    ["--ulimit with soft above hard", () => ulimits(["nofile=3:2"]), "E_USAGE"],
    ["--ulimit with no soft limit below a hard one", () => ulimits(["nofile=-1:2"]), "E_USAGE"],
    ["--shm-size 0", () => shmSize("0"), "E_USAGE"],
    ["--allow of anything", () => allowed(["all"]), "E_USAGE"],
    ["--allow of files", () => allowed(["fs.read=/x"]), "E_OPTION_NOT_IMPLEMENTED"],
    ["--allow device", () => allowed(["device=v.com/x=a,gpu"]), "E_DEVICE_NAME"],
    ["--resource of another name", () => resources(["mem=1g"]), "E_USAGE"],
    ["--resource without a value", () => resources(["memory"]), "E_USAGE"],
    ["--resource with less memory than a container begins with", () => resources(["memory=5m"]), "E_USAGE"],
    ["--resource with a name of every object", () => resources(["constructor=1"]), "E_USAGE"],
    ["--resource with a path", () => resources(["cpuset-cpus=../x"]), "E_USAGE"],
  ])("%s is refused", (_, act, code) => {
    expect(act).toThrow(expect.objectContaining({ code }));
  });
});

describe("parseSecrets()", () => {
  it.each([
    ["id=TOKEN", "from-env"],
    ["id=file", "from-file"],
    ["id=x,src=file", "from-file"],
    ["id=x,source=file,type=file", "from-file"],
    ["ID=x,env=TOKEN", "from-env"],
    ["id=x,type=env,src=TOKEN", "from-env"],
    ["id=TOKEN,type=env", "from-env"],
    ["id=TOKEN,type=file", "from-env"],
    ["id=x,env=TOKEN,type=file", "from-env"],
    ["id=x,env=TOKEN,src=file", "from-env"],
    ["id=TOKEN,src=file", "from-file"],
    ["id=file,type=env", "from-file"],
    ['"id=x","src=file"', "from-file"],
    ["id=x,env=UNSET", ""],
    ["id=x,type=env,src=UNSET", ""],
  ])("%s gives %s", async (word, expected) => {
    const cwd = mkdtempSync(join(tmpdir(), "tsbuild-secrets-"));
    try {
      writeFileSync(join(cwd, "file"), "from-file");
      const [provider] = Object.values(parseSecrets([word], { env: { TOKEN: "from-env" }, cwd }));
      expect(String(await provider?.())).toBe(expected);
    } finally {
      rmSync(cwd, { recursive: true });
    }
  });

  it.each([
    ["src=a", "needs an id"],
    ["id", "needs key=value"],
    ["id=a,scr=b", '"scr"'],
    ["id=a,type=vault", "type=vault"],
    ["id=a,env=SET,src=/nonexistent", "/nonexistent does not exist"],
    ["id=a,src=/nonexistent", "/nonexistent does not exist"],
    ["id=a,src=/tmp", "directory"],
    ["id=absent", "no variable absent"],
  ])("refuses %s", (word, text) => {
    expect(() => parseSecrets([word], { env: {}, cwd: "/" })).toThrow(text);
  });
});
