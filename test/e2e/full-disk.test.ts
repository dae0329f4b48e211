import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { tsbuild, type Ended } from "../rig/command.ts";
import { fromBusybox, Project } from "../rig/project.ts";
import { SmallDisk } from "../rig/small-disk.ts";

/** Takes all that is left of a disk. */
function fill(disk: SmallDisk): string {
  const file = join(disk.directory, "fill");
  execFileSync("sh", ["-c", 'head -c 100000000 /dev/zero > "$1" 2>/dev/null || :', "sh", file]);
  return file;
}

function expectNoSpace({ code, stdout, stderr }: Ended, exit = 1): void {
  expect([code, stdout]).toEqual([exit, ""]);
  expect(stderr).toMatch(/^(?:#.*\n|\n)*error\[E_NO_SPACE\]: Cannot /);
  expect(stderr).toContain("help: free some: tsbuild prune");
}

describe("a disk without a byte left", () => {
  it("is what every command says, and prune and rmi make room on it", async () => {
    using project = new Project({
      Dockerfile: `${fromBusybox}RUN cat /proc/sys/kernel/random/uuid > /a\nCMD ["true"]\n`,
    });
    using disk = new SmallDisk("40m");
    const root = ["--root", join(disk.directory, "store")];
    await tsbuild(project, [...root, "-q", "-t", "app", "."]);
    await tsbuild(project, [...root, "-q", "--no-cache", "-t", "app", "."]);
    const filling = fill(disk);
    for (const line of ["images", "tag app b", "-q .", "pull -q 127.0.0.1:1/x", "why", "save app"])
      expectNoSpace(await tsbuild(project, [...root, ...line.split(" ")]));
    expectNoSpace(await tsbuild(project, [...root, "run", "app"]), 125);
    expect(await tsbuild(project, [...root, "prune", "--all"])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Removed [1-9]/),
    });
    rmSync(filling);
    await tsbuild(project, [...root, "images"]);
    fill(disk);
    expect(await tsbuild(project, [...root, "rmi", "app"])).toMatchObject({ code: 0, stderr: "" });
    rmSync(filling);
    expect(await tsbuild(project, [...root, "-q", "-t", "app", "."])).toMatchObject({ code: 0 });
    expect(existsSync(join(disk.directory, "store", "reserve"))).toBe(true);
    expect(await tsbuild(project, [...root, "run", "app"])).toMatchObject({ code: 0 });
  });

  it("is told while an image is loaded, and nothing of it stays", async () => {
    using project = new Project({ Dockerfile: fromBusybox });
    await tsbuild(project, ["-q", "-t", "app", "."]);
    await tsbuild(project, ["save", "-o", "app.tar", "app"]);
    using disk = new SmallDisk("600k");
    const store = join(disk.directory, "store");
    expectNoSpace(await tsbuild(project, ["--root", store, "load", "-i", "app.tar"]));
    expect(readdirSync(join(store, "leases"))).toEqual([]);
    expect((await tsbuild(project, ["--root", store, "images", "-q"])).stdout).toBe("");
  });

  it("of the result, and not of the store, is told by its name", async () => {
    using project = new Project({ Dockerfile: fromBusybox });
    await tsbuild(project, ["-q", "-t", "app", "."]);
    using disk = new SmallDisk("300k");
    const place = (name: string): string => join(disk.directory, name);
    const lines = [
      ["-q", "-o", place("files"), "."],
      ["-q", "-o", `type=tar,dest=${place("tar")}`, "."],
      ["-q", "-o", `type=oci,dest=${place("oci")}`, "."],
      ["-q", "-o", `type=oci,tar=false,dest=${place("layout")}`, "."],
      ["save", "-o", place("saved"), "app"],
      ["export", "-o", place("exported"), "app"],
    ];
    for (const line of lines) {
      const { code, stderr } = await tsbuild(project, line);
      expect([code, stderr]).toEqual([1, expect.stringMatching(/^error\[E_OUTPUT_FILE\]: Cannot write .*: ENOSPC\n/)]);
      for (const name of readdirSync(disk.directory)) rmSync(place(name), { recursive: true });
    }
  });
});

describe("a store that cannot be used", () => {
  it("because its file system is read-only says so", async () => {
    using project = new Project({ Dockerfile: fromBusybox });
    using disk = new SmallDisk("40m");
    const root = ["--root", join(disk.directory, "store")];
    await tsbuild(project, [...root, "-q", "-t", "app", "."]);
    execFileSync("mount", ["-o", "remount,ro", disk.directory]);
    for (const line of ["images", "-q .", "prune"]) {
      const { code, stderr } = await tsbuild(project, [...root, ...line.split(" ")]);
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /^error\[E_READ_ONLY\]: Cannot open the store in .*: its file system is read-only\n {2}help: /,
      );
    }
  });

  it("because of its path says so; other odd ones do", async () => {
    using project = new Project({ Dockerfile: `${fromBusybox}RUN true\n` });
    const odd = join(project.store, "a b:c,d'é\n");
    expect((await tsbuild(project, ["--root", odd, "-q", "-t", "app", "."])).code).toBe(0);
    expect((await tsbuild(project, ["--root", odd, "run", "app", "true"])).code).toBe(0);
    const { code, stderr } = await tsbuild(project, ["--root", join(project.store, "a\\b"), "images"]);
    expect([code, stderr]).toEqual([1, expect.stringContaining("overlayfs reads a backslash")]);
  });

  it("because its records are damaged says how to begin anew", async () => {
    using project = new Project({ Dockerfile: fromBusybox });
    await tsbuild(project, ["images"]);
    writeFileSync(
      join(project.store, "store.db"),
      "no database at all, and longer than a header of one would be".repeat(3),
    );
    const { code, stderr } = await tsbuild(project, ["images"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error\[E_STORE_OPEN\]: Cannot use the store's records in .*: the file is damaged\n/);
    expect(stderr).toContain(`mv ${project.store} ${project.store}.damaged`);
  });
});
