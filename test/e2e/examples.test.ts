import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { fromBusybox, Project } from "../rig/project.ts";
import { TestRegistry } from "../rig/registry.ts";

it("examples/library.ts builds, runs, pushes, pulls, explains and frees", async () => {
  await using registry = await TestRegistry.start();
  using project = new Project({ Dockerfile: `${fromBusybox}RUN echo made >&2\nCMD ["echo", "hello"]\n` });
  const words = ["examples/library.ts", project.store, project.directory, `${registry.host}/app`];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, words, { encoding: "utf8" });
  expect(stderr).toContain("made\n");
  expect(stdout).toMatch(/^\[2\/2\] RUN echo made >&2$/m);
  expect(stdout).toMatch(/^built sha256:[0-9a-f]{64}$/m);
  expect(stdout).toContain('it ended with 0 and said "hello\\n"\n');
  const [, pushed, pulled] = /^pushed (sha256:\S+), pulled (sha256:\S+)$/m.exec(stdout) ?? [];
  expect(pulled).toBe(pushed);
  expect(registry.requests).toContain("PUT /v2/app/manifests/latest");
  expect(stdout).toMatch(/RUN echo made >&2 ran: /);
  expect(stdout).toMatch(/^\d+ steps are remembered, \d+ bytes are free again$/m);
});
