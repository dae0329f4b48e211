import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { environmentOf } from "../rig/command.ts";
import { Project } from "../rig/project.ts";

it("a build of 2,000 steps on each other takes no stack, few descriptors, and comes from the cache", async () => {
  const steps = Array.from({ length: 2000 }, (_, at) => `WORKDIR /a${at % 2}\n`).join("");
  using project = new Project({ Dockerfile: `FROM scratch\n${steps}` });
  const options = { cwd: project.directory, env: environmentOf(project), maxBuffer: 64 << 20 };
  const build = ["-c", `ulimit -n 900 && exec '${resolve("builder/cli/tsbuild")}' --progress=plain -t app .`];
  await promisify(execFile)("/bin/sh", build, options);
  const again = await promisify(execFile)("/bin/sh", build, options);
  expect(again.stderr).toContain("cache: 2000/2000 hits");
});
