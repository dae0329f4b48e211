import { existsSync, lstatSync, mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { ContainerRig } from "../../rig/container.ts";

const rig = new ContainerRig();
afterAll(() => rig[Symbol.dispose]());

describe("a working directory that is missing", () => {
  it("is made with those above it: 0755, root's, whoever runs there, and stays", async () => {
    const user = { uid: 1000, gid: 1000, additionalGids: [] };
    expect(await rig.output("pwd; stat -c '%a %u %g' . ..", { cwd: "/made/deep", user })).toBe(
      "/made/deep\n755 0 0\n755 0 0",
    );
    expect(statSync(join(rig.upper, "made/deep")).isDirectory()).toBe(true);
  });

  it("is made inside of the root, wherever symlinks in its path lead", async () => {
    symlinkSync("/elsewhere", join(rig.lower, "absolute"));
    symlinkSync("../../../../climbed", join(rig.lower, "upwards"));
    expect(await rig.output("pwd", { cwd: "/absolute/new" })).toBe("/elsewhere/new");
    expect(statSync(join(rig.upper, "elsewhere/new")).isDirectory()).toBe(true);
    expect(await rig.output("pwd", { cwd: "/upwards/new" })).toBe("/climbed/new");
    for (const name of ["elsewhere", "climbed"]) expect(existsSync(`/${name}`)).toBe(false);
  });

  it("is made in the volume that it lies in, and in a root that is then read-only", async () => {
    const source = rig.directory("volume");
    const mounts = [{ kind: "bind" as const, source, target: "/v", attributes: [] }];
    expect(await rig.output("pwd", { cwd: "/v/in/it", mounts })).toBe("/v/in/it");
    expect(statSync(join(source, "in/it")).mode & 0o777).toBe(0o755);
    expect(await rig.output("pwd", { cwd: "/kept", readonlyRoot: true })).toBe("/kept");
  });

  it("that is there stays as it is", async () => {
    mkdirSync(join(rig.lower, "own"), { mode: 0o700 });
    expect(await rig.output("stat -c %a .", { cwd: "/own" })).toBe("700");
    expect(existsSync(join(rig.upper, "own"))).toBe(false);
  });

  it.each([
    ["a file", "/etc/passwd", "ENOTDIR"],
    ["below a file", "/etc/passwd/x", "ENOTDIR"],
    ["where nothing can be made", "/proc/nowhere", "ENOENT"],
    ["a name that is too long", `/${"n".repeat(256)}`, "ENAMETOOLONG"],
    ["symlinks in a ring", "/ring/x", "ELOOP"],
  ])("cannot be %s", async (_, cwd, errno) => {
    if (lstatSync(join(rig.lower, "ring"), { throwIfNoEntry: false }) === undefined)
      symlinkSync("ring", join(rig.lower, "ring"));
    writeFileSync(join(rig.lower, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n");
    await expect(rig.run("pwd", { cwd })).rejects.toMatchObject({ code: "E_WORKDIR_INVALID", errno });
  });

  it.each(["relative", "", "/with\0nul", `/${"long/".repeat(2000)}`])("cannot be %j", async (cwd) => {
    const failed = rig.run("pwd", { cwd });
    await expect(failed).rejects.toMatchObject({ code: "E_WORKDIR_INVALID", hint: expect.any(String) });
    await failed.catch((error: unknown) => expect(String(error).length).toBeLessThan(200));
  });
});
