import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startInit } from "../../../native/process.ts";
import type { Mount, MountAttribute, RootFileSystem } from "../../../runtime/index.ts";
import { planContainer } from "../../../runtime/rootfs/plan.ts";
import { capabilityMask, defaultCapabilities } from "../../../runtime/security/capabilities.ts";
import { ContainerRig } from "../../rig/container.ts";

let rig: ContainerRig;
beforeEach(() => {
  rig = new ContainerRig();
});
afterEach(() => rig[Symbol.dispose]());

const bind = (source: string, target: string, ...attributes: MountAttribute[]): Mount => ({
  kind: "bind",
  source,
  target,
  attributes,
});

/** A directory of the host that no container may reach, and what it looks like. */
function canary(): { readonly path: string; readonly state: () => unknown } {
  const path = rig.directory("canary");
  writeFileSync(join(path, "file"), "canary");
  const state = (): unknown => [
    readdirSync(path),
    readFileSync(join(path, "file"), "utf8"),
    statSync(path).mtimeMs,
    readFileSync("/proc/self/mountinfo", "utf8").includes(rig.path),
  ];
  return { path, state };
}

/** `lower/name` replaced by a symlink. */
function replace(name: string, target: string): void {
  rmSync(join(rig.lower, name), { recursive: true, force: true });
  symlinkSync(target, join(rig.lower, name));
}

/** `dir` is the symlink for a moment. A container's start may make it anew meanwhile. */
function swapOnce(shared: string): void {
  const [dir = "", link = "", other = ""] = ["dir", "link", "other"].map((name) => join(shared, name));
  renameSync(dir, other);
  try {
    renameSync(link, dir);
    renameSync(dir, link);
  } catch {
    // The container was faster.
  } finally {
    while (existsSync(other)) {
      try {
        rmSync(dir, { recursive: true, force: true });
        renameSync(other, dir);
      } catch {
        continue;
      }
    }
  }
}

describe("a container's root", () => {
  it.each(["proc", "sys", "dev"])(
    "is refused when its /%s is a symlink, and nothing outside is touched",
    async (name) => {
      const { path, state } = canary();
      const before = state();
      for (const target of ["etc", `../../..${path}`, "/tmp", "nowhere"]) {
        replace(name, target);
        await expect(rig.run("true")).rejects.toMatchObject({ code: "E_RUNTIME_SETUP" });
      }
      expect(state()).toEqual(before);
    },
  );

  it("takes mounts whose targets are symlinks to the inside of it only", async () => {
    const { path, state } = canary();
    const before = state();
    const source = rig.directory("volume");
    writeFileSync(join(source, "it"), "volume");
    for (const target of [path, `../../../../..${path}`, `${path}/missing/deep`]) {
      replace("target", target);
      expect(await rig.output("cat /target/it", { mounts: [bind(source, "/target")] })).toBe("volume");
      expect(await rig.output("cat /target/sub/it", { mounts: [bind(source, "/target/sub")] })).toBe("volume");
    }
    expect(state()).toEqual(before);
  });

  it("takes no mount over the kernel's files, named so or by a symlink", async () => {
    const source = rig.directory("volume");
    replace("hidden", "/proc/sys/kernel");
    for (const target of ["/proc", "/proc/sys", "/hidden", "/proc/1", "/proc/self/fd"]) {
      await expect(rig.run("true", { mounts: [bind(source, target)] })).rejects.toMatchObject({
        code: "E_RUNTIME_SETUP",
        step: "mount",
      });
    }
  });

  it("has files bound over dangling symlinks and over nothing, and none of that in its layer", async () => {
    const source = join(rig.path, "resolv");
    writeFileSync(source, "nameserver 192.0.2.1\n");
    replace("etc/resolv.conf", "../run/resolve/stub.conf");
    for (const name of ["run", "etc"]) {
      mkdirSync(join(rig.lower, name), { recursive: true });
      utimesSync(join(rig.lower, name), 1_000_000, 1_000_000);
    }
    const mounts = [
      bind(source, "/etc/resolv.conf", "ro"),
      bind(source, "/etc/hosts", "ro"),
      bind(rig.path, "/a/b/c", "ro"),
    ];
    expect(await rig.output("cat /etc/resolv.conf /run/resolve/stub.conf /etc/hosts; ls -d /a/b/c", { mounts })).toBe(
      `${"nameserver 192.0.2.1\n".repeat(3)}/a/b/c`,
    );
    expect(new Set(readdirSync(rig.upper, { recursive: true, encoding: "utf8" }))).toEqual(new Set(["etc", "run"]));
    for (const name of ["run", "etc"]) expect(statSync(join(rig.upper, name)).mtimeMs).toBe(1_000_000_000);
    const { stderr } = await rig.run("echo x > /etc/hosts; echo mine > /etc/mine", { mounts });
    expect(stderr).toContain("Read-only");
    expect(readdirSync(join(rig.upper, "etc"))).toEqual(["mine"]);
    expect(statSync(join(rig.upper, "etc")).mtimeMs).toBeGreaterThan(1_000_000_000);
  });

  it("removes no file of the program's for a mount target that it moved away (CVE-2024-23652)", async () => {
    const mounts = [bind(rig.directory("volume"), "/a/b/c")];
    await rig.output("mkdir -p /x/b/c && mv /a /away && ln -s x /a && readlink /a", { mounts });
    expect(statSync(join(rig.upper, "x/b/c")).isDirectory()).toBe(true);
  });

  it("has mounts with the options asked for, and opens no device in a volume", async () => {
    const source = rig.directory("volume");
    const mounts: Mount[] = [
      bind(source, "/rw"),
      bind(source, "/ro", "ro", "noexec"),
      {
        kind: "filesystem",
        type: "tmpfs",
        source: "tmpfs",
        target: "/scratch",
        attributes: ["nosuid"],
        data: ["size=1m", "mode=1777"],
      },
    ];
    const script = `
      cut -d' ' -f5,6 /proc/self/mountinfo | grep -E '^/(rw|ro|scratch) '; echo 1 > /rw/one; (echo 2 > /ro/two) 2>/dev/null
      mknod /rw/kmsg c 1 11; (: < /rw/kmsg) 2>/dev/null && echo opened; (head -c 2m /dev/zero > /scratch/big) 2>/dev/null || echo full`;
    expect((await rig.output(script, { mounts })).split("\n")).toEqual([
      expect.stringMatching(/^\/rw rw/),
      expect.stringMatching(/^\/ro ro,noexec/),
      expect.stringMatching(/^\/scratch rw,nosuid/),
      "full",
    ]);
    expect(readdirSync(source).toSorted()).toEqual(["kmsg", "one"]);
  });

  it("never leads outside while another container swaps its mount target for a symlink", async () => {
    const { path, state } = canary();
    const before = state();
    const shared = rig.directory("shared");
    mkdirSync(join(shared, "dir"));
    symlinkSync(`../../../../../..${path}`, join(shared, "link"));
    let swapping = true;
    const swap = async (): Promise<void> => {
      while (swapping) {
        for (let i = 0; i < 200; i++) {
          swapOnce(shared);
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const swapper = swap();
    const source = rig.directory("volume");
    for (let i = 0; i < 50; i++) {
      const mounts = [bind(shared, "/shared"), bind(source, "/shared/dir/sub")];
      await rig.run("echo x > /shared/dir/sub/made; echo y > /shared/dir/made", { mounts }).catch(() => undefined);
    }
    swapping = false;
    await swapper;
    expect(state()).toEqual(before);
  });

  it("may have 500 layers, and more are refused", async () => {
    const lower = Array.from({ length: 499 }, (_, at) => {
      const directory = rig.directory(`layers/${at}`);
      writeFileSync(join(directory, `file-${at}`), "");
      return directory;
    });
    const root = (lowers: readonly string[]): RootFileSystem => ({
      kind: "overlay",
      layers: { lower: lowers, upper: rig.directory("u"), work: rig.directory("w") },
    });
    expect(await rig.output("ls / | grep -c file-", { root: root([...lower, rig.lower]) })).toBe("499");
    await expect(rig.run("true", { root: root([...lower, rig.directory("x"), rig.lower]) })).rejects.toMatchObject({
      code: "E_RUNTIME_SETUP",
      step: "mount the root file system",
    });
  });

  it("is mounted by mount(2) with 500 layers where the kernel knows no lowerdir+", async () => {
    const lower = Array.from({ length: 499 }, (_, at) => rig.directory(`layers/with:colon,${at}`));
    const spec = rig.spec("test -d /proc/1 && echo new > /made && exec ls -d /dev/null /made");
    const plan = planContainer(spec, {
      cgroupProcs: [],
      seccomp: new Uint8Array(),
      network: { kind: "new" },
      cgroup: undefined,
      nodev: false,
      cgroup2: false,
    });
    if (plan.root.kind !== "overlay") throw new Error("no overlay");
    const init = await startInit(
      { ...plan, root: { ...plan.root, lower: [...lower, rig.lower], byMount: true } },
      [0, 1, 2],
    );
    expect(await init.ended).toEqual({ kind: "exited", code: 0 });
    expect(readFileSync(join(rig.upper, "made"), "utf8")).toBe("new\n");
  });

  it("opens no device it makes where mounts must see to that, and has its own devices still", async () => {
    const script = `
      for d in / /dev /tmp /dev/shm /volume; do mknod $d/node c 1 3 && (: < $d/node) 2>/dev/null && exit 3; rm -f $d/node; done
      echo > /dev/null && head -c1 /dev/zero > /dev/null && test -c /dev/tty && exit 0; exit 4`;
    const spec = rig.spec(script, { mounts: [bind(rig.directory("volume"), "/volume")] });
    const made = {
      cgroupProcs: [],
      cgroup: undefined,
      seccomp: new Uint8Array(),
      network: { kind: "new" },
      cgroup2: false,
    } as const;
    const guarded = {
      ...planContainer(spec, { ...made, nodev: true }),
      capabilities: capabilityMask(defaultCapabilities),
    };
    expect(await (await startInit(guarded, [0, 1, 2])).ended).toEqual({ kind: "exited", code: 0 });
    const again = rig.spec(script);
    const open = await startInit(planContainer(again, { ...made, nodev: false }), [0, 1, 2]);
    expect(await open.ended).toEqual({ kind: "exited", code: 3 });
  });

  it("may be a directory of the host, which is then changed itself", async () => {
    const root: RootFileSystem = { kind: "bind", source: rig.lower };
    await rig.output("echo x > /made", { root });
    expect(readFileSync(join(rig.lower, "made"), "utf8")).toBe("x\n");
  });

  it("is free for the next container the moment it has ended", async () => {
    const layers = { lower: [rig.lower], upper: rig.directory("u"), work: rig.directory("w") };
    const root: RootFileSystem = { kind: "overlay", layers };
    for (let i = 0; i < 30; i++)
      await rig.output(`test $(ls / | grep -c made) = ${i} && echo > /made-${i}; sleep 100 &`, { root });
    expect(readdirSync(layers.upper)).toHaveLength(30);
  });

  it("cannot change the program that starts containers (CVE-2019-5736)", async () => {
    const file = new URL("../../../native/build/tsbuild-init", import.meta.url);
    const hash = (): string => createHash("sha256").update(readFileSync(file)).digest("hex");
    const before = hash();
    symlinkSync("/proc/self/exe", join(rig.lower, "bin/self"));
    const attack = `for i in 1 2 3 4 5; do for exe in /proc/[0-9]*/exe; do (echo owned > $exe) 2>/dev/null && echo "wrote $(readlink $exe)"; done; done; true`;
    const said = await rig.output(attack);
    expect(said.split("\n").filter((line) => line !== "" && !line.startsWith("wrote /bin/busybox"))).toEqual([]);
    await rig.run("", { args: ["/bin/self"] }).catch(() => undefined);
    expect(await rig.output("echo still")).toBe("still");
    expect(hash()).toBe(before);
  });
});
