import { generateKeyPairSync } from "node:crypto";
import { chmodSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Ended } from "../rig/command.ts";
import { PlainUser } from "../rig/plain-user.ts";
import { fromBusybox, Project } from "../rig/project.ts";

const specification = {
  cdiVersion: "0.6.0",
  kind: "v.com/x",
  devices: Object.entries({
    full: { path: "/dev/given", hostPath: "/dev/full" },
    same: { path: "/dev/given", hostPath: "/dev/full", type: "c", major: 1, minor: 7, fileMode: 0o600 },
    other: { path: "/dev/given", hostPath: "/dev/full", type: "c", major: 1, minor: 5 },
    made: { path: "/dev/given", hostPath: "/nowhere", type: "c", major: 1, minor: 7 },
    pipe: { path: "/dev/given", type: "p" },
  }).map(([name, node]) => ({ name, containerEdits: { deviceNodes: [node] } })),
};

describe("a plain user's RUN", () => {
  let user: PlainUser;
  let project: Project;
  beforeAll(() => {
    user = new PlainUser();
    project = new Project({ "v.json": JSON.stringify(specification) });
    chmodSync(dirname(project.directory), 0o755);
    const { privateKey } = generateKeyPairSync("ed25519");
    writeFileSync(join(user.home, "key"), privateKey.export({ type: "pkcs8", format: "pem" }));
    writeFileSync(join(user.home, "secret"), "over nine thousand\n");
  });
  afterAll(() => {
    user[Symbol.dispose]();
    project[Symbol.dispose]();
  });

  async function run(step: string, ...words: readonly string[]): Promise<Ended> {
    project.write("Dockerfile", `${fromBusybox}RUN ${step}\n`);
    return await user.tsbuild(project.directory, ["--progress=plain", ...words, "."]);
  }

  it("has sockets of agents and secrets with the owners that they are given", async () => {
    const words = ["--ssh", `default=${join(user.home, "key")}`, "--secret", `id=s,src=${join(user.home, "secret")}`];
    const { code, stderr } = await run(
      `--mount=type=ssh,uid=1000,gid=1001,mode=0640 --mount=type=secret,id=s,uid=1000 test -S $SSH_AUTH_SOCK && \\
      stat -c owned=%u:%g:%a $SSH_AUTH_SOCK /run/secrets/s && cat /run/secrets/s`,
      ...words,
    );
    expect({ code, owners: stderr.match(/owned=[\d:]+$/gm) }).toEqual({
      code: 0,
      owners: ["owned=1000:1001:640", "owned=1000:0:400"],
    });
    expect(stderr).not.toContain("nine thousand");
  });

  it.each([
    ["ssh,uid=100000", ""],
    ["secret,id=s,target=/s,gid=100000", ""],
    ["cache,target=/c,uid=100000", ""],
  ])("is told which owner of --mount=type=%s has no number", async (mount) => {
    const words = ["--ssh", `default=${join(user.home, "key")}`, "--secret", `id=s,src=${join(user.home, "secret")}`];
    const { code, stderr } = await run(`--mount=type=${mount} true`, ...words);
    expect(code).toBe(1);
    expect(stderr).toMatch(/error\[E_NO_SUBUID\]: .*owner (100000:0|0:100000) has no number in this user namespace/);
    expect(stderr).toContain("--> Dockerfile:3:1");
  });

  const devices = ["--allow", "device", "--cdi-spec-dir"];

  it.each([
    ["full", "1:7 666"],
    ["same", "1:7 666"],
  ])("has the host's own node for the device %s", async (name, numbers) => {
    const { code, stderr } = await run(
      `--device=v.com/x=${name} stat -c 'node=%t:%T %a' /dev/given && test "$(head -c 2 /dev/given | wc -c)" = 2 && \\
      (echo x > /dev/given) 2>&1 | grep -q "No space" && ! mknod /dev/other c 1 7 2>/dev/null && ! chmod 600 /dev/given 2>/dev/null`,
      ...devices,
      project.directory,
    );
    expect({ code, node: /node=([\d:]+ \d+)$/m.exec(stderr)?.[1] }).toEqual({ code: 0, node: numbers });
  });

  it("has pipes", async () => {
    const { code } = await run("--device=v.com/x=pipe test -p /dev/given", ...devices, project.directory);
    expect(code).toBe(0);
  });

  it.each([
    ["other", "a plain user cannot make devices, and /dev/full is another one"],
    ["made", "ENOENT"],
  ])("is refused the device %s", async (name, why) => {
    const { code, stderr } = await run(`--device=v.com/x=${name} true`, ...devices, project.directory);
    expect(code).toBe(1);
    expect(stderr).toContain('error[E_DEVICE_EDIT]: Cannot give "/dev/given" to the step: ');
    expect(stderr).toContain(why);
  });

  it("is told that limits need control groups of its own", async () => {
    const limited = await run("true", "--resource", "memory=100m");
    // Where none is handed to the user; a machine may.
    if (limited.code !== 0) expect(limited.stderr).toMatch(/error\[E_CGROUP_LIMIT\]: [^]*Delegate=yes/);
    const placed = await run("true", "--cgroup-parent", "/tsbuild-test-rootless");
    expect(placed.stderr).toContain("error[E_CGROUP_PARENT]");
  });
});
