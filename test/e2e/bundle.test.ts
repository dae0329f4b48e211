import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Project, fromBusybox } from "../rig/project.ts";

const top = join(import.meta.dirname, "../..");

describe("the bundle that is published", () => {
  it("builds and runs as the sources do", () => {
    if (!existsSync(join(top, "dist/main.js")))
      execFileSync("npm", ["run", "-s", "bundle"], { cwd: top, stdio: "ignore" });
    using project = new Project({ Dockerfile: `${fromBusybox}RUN echo bundled > /file\nCMD ["cat", "/file"]\n` });
    const tsbuild = (...args: readonly string[]): string =>
      execFileSync(join(top, "builder/cli/tsbuild"), args, {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
        env: { ...process.env, TSBUILD_BUNDLE: "1", TSBUILD_ROOT: project.store },
      });
    expect(tsbuild("--version")).toMatch(/^tsbuild \d+\.\d+\.\d+\n$/);
    expect(tsbuild("-q", "-t", "app", project.directory)).toMatch(/^sha256:[0-9a-f]{64}\n$/);
    expect(tsbuild("run", "app")).toBe("bundled\n");
  });
});
