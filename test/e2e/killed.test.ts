import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { environmentOf, tsbuild } from "../rig/command.ts";
import { fromBusybox, Project } from "../rig/project.ts";
import { TestRegistry } from "../rig/registry.ts";

/** Kills of each command, at points spread over its usual time. */
const kills = 3;

/** Starts the command and kills it after a part of the time (ms) that it usually takes. Where that is does not matter. */
async function killAt(
  project: Project,
  words: readonly string[],
  milliseconds: number,
  temporary: string,
): Promise<number> {
  const child = spawn(resolve("builder/cli/tsbuild"), words, {
    cwd: project.directory,
    env: { ...environmentOf(project), TMPDIR: temporary },
    stdio: "ignore",
  });
  const closed = once(child, "close");
  setTimeout(() => child.kill("SIGKILL"), milliseconds);
  await closed;
  return child.pid ?? 0;
}

/** Control groups of the process with that number. */
function groupsOf(pid: number): readonly string[] {
  return directoriesBelow("/sys/fs/cgroup").filter((path) => path.includes(`/tsbuild/${pid}.`));
}

/** Others come and go meanwhile. */
function directoriesBelow(path: string): readonly string[] {
  try {
    const inside = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return inside.flatMap(({ name }) => [join(path, name), ...directoriesBelow(join(path, name))]);
  } catch {
    return [];
  }
}

/** What is there that no command that works has made. */
function leftovers(project: Project, temporary: string): readonly string[] {
  const files = [project.directory, project.store].flatMap((directory) =>
    readdirSync(directory, { recursive: true, encoding: "utf8" }).filter((name) =>
      /\.tmp$|\.json\.\d+$|^leases\/./.test(name),
    ),
  );
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").includes(project.store) ? ["a mount"] : [];
  return [...files, ...mounts, ...readdirSync(temporary)];
}

describe("a command that is killed at any point", () => {
  it("leaves nothing that the next one, whichever it is, does not remove", { timeout: 240_000 }, async () => {
    await using registry = await TestRegistry.start();
    const name = `${registry.host}/app`;
    using project = new Project({ Dockerfile: `${fromBusybox}RUN echo a > /a; sleep 0.1\nCOPY Dockerfile /\n` });
    const temporary = join(project.store, "..", "temporary");
    mkdirSync(temporary);
    const insecure = ["--insecure-registry", registry.host];
    for (const line of [
      "-q -t app .",
      `tag app ${name}`,
      `push -q ${insecure.join(" ")} ${name}`,
      "save -o in.tar app",
      "export -o root.tar app",
    ])
      expect(await tsbuild(project, line.split(" "))).toMatchObject({ code: 0 });
    const lines = [
      "-q --no-cache .",
      `pull -q ${insecure.join(" ")} ${name}`,
      `push -q ${insecure.join(" ")} ${name}`,
      "load -i in.tar",
      "save -o out.tar app",
      "import -q root.tar imported",
      "export -o root.tar app",
      "run app sleep 0.2",
      "image prune",
      "builder prune",
    ];
    for (const line of lines) {
      for (let at = 1; at <= kills; at++) {
        const pid = await killAt(project, line.split(" "), (600 / kills) * at, temporary);
        // The kernel may need a moment for the processes of a container.
        await expect
          .poll(
            async () => {
              expect(await tsbuild(project, ["images", "-q"])).toMatchObject({ code: 0, stderr: "" });
              return [line, ...leftovers(project, temporary), ...groupsOf(pid)];
            },
            { timeout: 20_000 },
          )
          .toEqual([line]);
      }
    }
    expect(await tsbuild(project, ["run", "app", "cat", "/a"])).toMatchObject({ code: 0, stdout: "a\n" });
    await tsbuild(project, ["system", "prune", "-a", "-f"]);
    for (const part of ["snapshots", "blobs/sha256", "leases", "ingest"])
      expect([part, ...readdirSync(join(project.store, part))]).toEqual([part]);
  });
});
