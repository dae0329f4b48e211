import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Mount } from "../../../runtime/index.ts";
import { ContainerRig } from "../../rig/container.ts";
import { makeTemp } from "../../rig/temp.ts";

const rounds = 240;

/** What no container may see or change: names, contents and times of a directory of the host. */
function stateOf(directory: string): unknown {
  const { mtimeMs, mode, nlink } = lstatSync(directory);
  const files = readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), "utf8")]);
  return { mtimeMs, mode, nlink, files };
}

describe("a container whose mounts lie where another one swaps a directory for a symlink", () => {
  it(`never leads outside, ${rounds} times (CVE-2021-30465, 2024-23651, 2024-45310, 2025-52881)`, async () => {
    using temp = makeTemp();
    using rig = new ContainerRig();
    const canary = join(temp.path, "canary");
    mkdirSync(canary);
    for (const name of ["file", "sh"]) writeFileSync(join(canary, name), "of the host\n", { mode: 0o755 });
    const before = stateOf(canary);
    const attacker = join(temp.path, "swap");
    const made = spawnSync("cc", ["-O1", "-o", attacker, join(import.meta.dirname, "swap.c")], { encoding: "utf8" });
    expect(made.stderr).toBe("");
    const shared = rig.directory("shared");
    mkdirSync(join(shared, "dir"));
    writeFileSync(join(shared, "dir/file"), "of the cache\n");
    copyFileSync("/bin/busybox", join(shared, "dir/sh"));
    symlinkSync(`${"../".repeat(20)}${canary.slice(1)}`, join(shared, "link"));
    const source = rig.directory("volume");
    const swapping = spawn(attacker, [shared, "dir", "link"], { stdio: ["ignore", "pipe", "inherit"] });
    await once(swapping.stdout, "data");
    const plain = { attributes: [] };
    const owner = { uid: 0, gid: 0 };
    const attachments = { sockets: new Map([["agent", () => undefined]]) };
    const mounts: readonly Mount[] = [
      { kind: "bind", source: shared, target: "/c", ...plain },
      { kind: "bind", source, target: "/c/dir/bind/deep", ...plain },
      { kind: "filesystem", type: "tmpfs", source: "tmpfs", target: "/c/dir/tmpfs", data: [], ...plain },
      {
        kind: "file",
        target: "/c/dir/secret",
        ...plain,
        ...owner,
        mode: 0o400,
        content: { text: "s" },
      },
      {
        kind: "socket",
        target: "/c/dir/socket",
        ...plain,
        ...owner,
        mode: 0o600,
        attachment: "agent",
      },
      {
        kind: "device",
        source: "tmpfs",
        target: "/c/dir/device",
        ...plain,
        ...owner,
        mode: 0o666,
        device: { kind: "char", major: 1, minor: 3, access: { read: true, write: true } },
      },
      { kind: "bind", source: shared, inside: "/dir/file", target: "/m", ...plain },
    ];
    const said = new Map<string, number>();
    const count = (what: string): unknown => said.set(what, (said.get(what) ?? 0) + 1);
    try {
      for (let round = 0; round < rounds; round++) {
        // One container at a time for each kind: what fails first would hide the others.
        const mount = mounts[1 + (round % (mounts.length - 1))] ?? mounts[0];
        const given = mount === undefined ? [] : [mounts[0] ?? mount, mount];
        const script = "cat /m 2>/dev/null; cat file 2>/dev/null; echo x > made; echo y > /c/dir/made";
        const spec = { mounts: given, cwd: "/c/dir", args: ["/c/dir/sh", "-c", script] };
        await rig.run("", spec, attachments).then(
          ({ stdout }) => count(stdout.trim()),
          (error: unknown) => count(error instanceof Error && "code" in error ? String(error.code) : String(error)),
        );
      }
    } finally {
      swapping.kill();
    }
    expect(stateOf(canary)).toEqual(before);
    expect(
      [...said.keys()].filter(
        (text) => text.includes("of the host") || !/^(?:E_[A-Z_]+|(?:of the cache\s*)*)$/.test(text),
      ),
    ).toEqual([]);
    // The attack was one: both what was meant and what was swapped in were met.
    expect(said.get("of the cache")).toBeGreaterThan(0);
    expect(said.get("E_RUNTIME_SETUP")).toBeGreaterThan(0);
  });
});
