import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { tsbuild } from "../../rig/command.ts";
import { Project } from "../../rig/project.ts";
import { makeTemp } from "../../rig/temp.ts";

/** Exchanges a directory for a link to another place and back, until it is killed. */
const exchange = `
const { renameSync } = require("node:fs");
console.log("ready");
for (;;) {
  renameSync("d/sub", "kept");
  renameSync("link", "d/sub");
  renameSync("d/sub", "link");
  renameSync("kept", "d/sub");
}`;

describe("a context in which somebody exchanges a directory for a link to the host", () => {
  it("gives nothing of the host to a build", async () => {
    using temp = makeTemp();
    const canary = "canary-of-the-host";
    writeFileSync(join(temp.path, "secret"), canary);
    using project = new Project({ Dockerfile: "FROM scratch\nCOPY d /d\n", "d/sub/secret": "own" });
    mkdirSync(join(project.directory, "d/more"));
    for (let at = 0; at < 200; at++) writeFileSync(join(project.directory, "d/more", String(at)), "x");
    symlinkSync(temp.path, join(project.directory, "link"));
    const child = spawn(process.execPath, ["-e", exchange], {
      cwd: project.directory,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const closed = once(child, "close");
    try {
      await once(child.stdout, "data");
      const out = join(temp.path, "out.tar");
      for (let round = 0; round < 6; round++) {
        const { code, stderr } = await tsbuild(project, ["-q", "--no-cache", "-o", `type=tar,dest=${out}`, "."]);
        // A file that is gone when it is read is an error, and nothing else is.
        if (code !== 0) expect(stderr).toMatch(/error\[E_\w+\]: (?!Internal)/);
        else expect(readFileSync(out).includes(canary)).toBe(false);
      }
    } finally {
      child.kill("SIGKILL");
      await closed;
    }
  });
});
