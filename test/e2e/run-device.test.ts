import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { deviceGuard } from "../../runtime/cgroup/devices.ts";
import { findControllers } from "../../runtime/cgroup/controllers.ts";
import type { BuildOptions } from "../../builder/index.ts";
import { tsbuild } from "../rig/command.ts";
import { fromBusybox, Project } from "../rig/project.ts";

/**
 * Numbers that no driver has: who may open it is told "No such device or address", who may not "not permitted".
 * 240-254 are for local use. @see linux/Documentation/admin-guide/devices.txt
 */
const [major, minor] = [250, 77];
const guarded = deviceGuard().kind !== "nodev";
const open = (path: string): string => `busybox dd if=${path} of=/dev/null count=0`;

/** Devices of the kind v.com/x by their edits; gives their directory. */
function cdi(
  project: Project,
  devices: Readonly<Record<string, unknown>>,
  more: Readonly<Record<string, unknown>> = {},
): string {
  const directory = join(project.store, "..", "cdi");
  mkdirSync(directory, { recursive: true });
  const list = Object.entries(devices).map(([name, containerEdits]) => ({ name, containerEdits }));
  writeFileSync(
    join(directory, "x.json"),
    JSON.stringify({ cdiVersion: "0.7.0", kind: "v.com/x", devices: list, ...more }),
  );
  return directory;
}

const node = { path: "/dev/x/node", type: "c", major, minor };

async function buildWith(
  devices: Readonly<Record<string, unknown>>,
  steps: string,
  options: Partial<BuildOptions> = { allow: ["device"] },
): ReturnType<Project["build"]> {
  using project = new Project({ Dockerfile: `${fromBusybox}${steps}` });
  return await project.build({ cdiDirectories: [cdi(project, devices)], ...options });
}

describe("RUN --device", () => {
  it.skipIf(!guarded)(
    "lets the step open the device, and only that, and leaves nothing (needs control groups)",
    async () => {
      const { error, log } = await buildWith(
        { one: { deviceNodes: [node] } },
        `RUN --device=v.com/x=one stat -c '%a %u:%g %t:%T' /dev/x/node && ! ${open("/dev/x/node")} 2>&1; \\
  mknod /n c ${major} ${minor}; ! ${open("/n")} 2>&1; rm /n; mknod /n c ${major} ${minor + 1}; ! ${open("/n")} 2>&1; rm /n
RUN test ! -e /dev/x && mknod /n c ${major} ${minor} && ! ${open("/n")} 2>&1 && rm /n
`,
      );
      expect(error).toBeUndefined();
      expect(log.split("\n")).toEqual([
        "666 0:0 fa:4d",
        "dd: can't open '/dev/x/node': No such device or address",
        "dd: can't open '/n': No such device or address",
        "dd: can't open '/n': Operation not permitted",
        "dd: can't open '/n': Operation not permitted",
        "",
      ]);
    },
  );

  it.skipIf(!guarded)(
    "limits it to what the specification says, also beside limits (needs control groups)",
    async () => {
      const both = (permissions: string): string => `RUN --device=v.com/x=${permissions} \\
  ! ${open("/dev/x/node")} 2>&1; ! echo 2>&1 > /dev/x/node\n`;
      const devices = Object.fromEntries(
        ["r", "w", "none", "rwm"].map((permissions) => [permissions, { deviceNodes: [{ ...node, permissions }] }]),
      );
      const steps = Object.keys(devices).map(both).join("");
      const memory = findControllers().directories.has("memory") ? { resources: { memory: 64 << 20 } } : {};
      for (const limits of [{}, memory]) {
        const { error, log } = await buildWith(devices, steps, { allow: ["device"], ...limits });
        expect(error).toBeUndefined();
        const refused = log.split("\n").flatMap((line) => /: (No such|Operation not)/.exec(line)?.[1] ?? []);
        const [yes, no] = ["No such", "Operation not"];
        expect(refused).toEqual([yes, no, no, yes, no, no, yes, yes]);
      }
    },
  );

  it("gives variables, files, groups, owners and pipes, and none of it is in the layer", async () => {
    using project = new Project({
      Dockerfile: `${fromBusybox}ENV A=image
USER app
RUN --device=v.com/x=one,required echo $A $B $C && cat /opt/file && id -G && stat -c '%a %u:%g' /dev/mine /opt/pipe /opt/other && ! echo 2>/dev/null > /opt/file
USER root
RUN echo "$A$B" && test ! -e /opt
`,
    });
    const file = join(project.store, "..", "file");
    writeFileSync(file, "of the host\n");
    const directory = cdi(
      project,
      {
        one: {
          env: ["A=device", "C=3"],
          additionalGids: [0, 77],
          deviceNodes: [
            { path: "/dev/mine", hostPath: "/dev/null", fileMode: 0o640, gid: 9 },
            { path: "/opt/pipe", type: "p" },
            { path: "/opt/other", hostPath: "/dev/zero", uid: 0 },
          ],
          mounts: [{ hostPath: file, containerPath: "/opt/file", options: ["ro", "rbind", "nosuid"] }],
        },
      },
      { containerEdits: { env: ["A=kind", "B=2"] } },
    );
    const { error, log } = await project.build({ cdiDirectories: [directory], allow: ["device=v.com/x=one"] });
    expect(error).toBeUndefined();
    expect(log).toBe("device 2 3\nof the host\n1001 77 2000\n640 1000:9\n666 1000:1001\n666 0:1001\nimage\n");
    // What a device does is the machine's and in no key; which one it is, is.
    const again = await project.build({ cdiDirectories: [cdi(project, { one: {} })], allow: ["device"] });
    expect(again.log).toBe("");
    project.write("Dockerfile", `${fromBusybox}ENV A=image\nUSER app\nRUN --device=v.com/x echo again\n`);
    expect((await project.build({ cdiDirectories: [directory], allow: ["device"] })).log).toBe("again\n");
  });

  it("takes what BuildKit allows by itself, by a class or by another name", async () => {
    const steps =
      "RUN --device=v.com/x=fast echo $A\nRUN --device=gpu echo $A\nRUN --device=v.com/y=none echo nothing\n";
    using project = new Project({ Dockerfile: fromBusybox + steps });
    const directory = join(project.store, "..", "cdi");
    mkdirSync(directory);
    writeFileSync(
      join(directory, "x.yaml"),
      `cdiVersion: "0.6.0"
kind: v.com/x
devices:
- name: one
  containerEdits:
    env: [A=1]
  annotations:
    org.mobyproject.buildkit.device.class: fast
    org.mobyproject.buildkit.device.autoallow: true
- name: two
  containerEdits: {env: [A=2]}
`,
    );
    const { error, log } = await project.build({
      cdiDirectories: [directory],
      allow: ["device=v.com/x=two,alias=gpu"],
    });
    expect(error).toBeUndefined();
    expect(log).toBe("1\n2\nnothing\n");
  });

  it.each([
    ["v.com/x=one", {}, "E_ENTITLEMENT", "device v.com/x=one is not allowed"],
    ["v.com/x=two,required", { allow: ["device"] }, "E_DEVICE_NOT_FOUND", '"v.com/x=two"'],
    ["nonsense", { allow: ["device"] }, "E_DEVICE_NAME", '"nonsense"'],
    ["v.com/x=one,req=1", { allow: ["device"] }, "E_DEVICE_FLAG", "req=1"],
    ["v.com/x=hooks", { allow: ["device"] }, "E_DEVICE_EDIT", "hooks"],
    ["v.com/x=gone", { allow: ["device"] }, "E_DEVICE_EDIT", "ENOENT"],
    ["v.com/x=file", { allow: ["device"] }, "E_DEVICE_EDIT", "no device"],
    ["v.com/x=shared", { allow: ["device"] }, "E_MOUNT_OPTION", "rshared"],
  ] as const)("is refused with its line: %s", async (flag, options, code, message) => {
    const devices = {
      one: {},
      hooks: { hooks: [{ hookName: "createContainer", path: "/bin/true" }] },
      gone: { deviceNodes: [{ path: "/dev/gone-from-here" }] },
      file: { deviceNodes: [{ path: "/dev/x", hostPath: "/etc/hostname" }] },
      shared: { mounts: [{ hostPath: "/etc", containerPath: "/m", options: ["rbind", "rshared"] }] },
    };
    const { error, log } = await buildWith(devices, `RUN --device=${flag} echo ran\n`, options);
    expect(error).toMatchObject({ code, location: { start: { line: 3 } } });
    expect(String(error)).toContain(message);
    expect(log).toBe("");
  });

  it("is allowed by the command's flags", async () => {
    using project = new Project({ Dockerfile: `${fromBusybox}RUN --device=v.com/x=one echo $A\n` });
    cdi(project, { one: { env: ["A=given"] } });
    const words = ["--progress", "plain", "--cdi-spec-dir", "../cdi", "."];
    const refused = await tsbuild(project, words);
    expect(refused.stderr).toContain("--allow device=v.com/x=one");
    const built = await tsbuild(project, ["--allow", "device=v.com/x=one", ...words]);
    expect(built.stderr).toContain("given");
    expect(built.code).toBe(0);
  });
});
