import { mkdirSync, readdirSync, renameSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { parseDigest } from "../../store/oci/digest.ts";
import { openStore } from "../../store/open.ts";
import { tsbuild, tsbuildAnswering, tsbuildOnTerminal } from "../rig/command.ts";
import { fromBusybox, Project } from "../rig/project.ts";

const dockerfile = "FROM base AS one\nRUN echo one > /one\nFROM base\nARG V=1\nLABEL v=$V\nCOPY --from=one /one /two\n";

/** An image without a name, one of two stages, and its base. */
async function filled(): Promise<Project> {
  const project = new Project({ Dockerfile: `${fromBusybox}` });
  for (const [text, words] of [
    [fromBusybox, ["-t", "base"]],
    [dockerfile, ["-t", "app", "--build-arg", "V=0"]],
    [dockerfile, ["-t", "app"]],
  ] as const) {
    project.write("Dockerfile", text);
    expect(await tsbuild(project, ["-q", ...words, "."])).toMatchObject({ code: 0 });
  }
  return project;
}

async function names(project: Project): Promise<readonly string[]> {
  const { stdout } = await tsbuild(project, ["images", "--format", "{{.Repository}}"]);
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .toSorted();
}

/** Steps of the next build that come from the cache. */
async function cached(project: Project): Promise<readonly string[]> {
  const { stderr } = await tsbuild(project, ["--progress", "plain", "."]);
  const steps = new Map([...stderr.matchAll(/^#(\d+) \[.*?\] (RUN|COPY)/gm)].map(([, at, word]) => [at, word ?? ""]));
  return [...stderr.matchAll(/^#(\d+) CACHED$/gm)].flatMap(([, at]) => steps.get(at) ?? []).toSorted();
}

async function prune(project: Project, line: string): Promise<string> {
  const { code, stdout, stderr } = await tsbuild(project, line.split(" "));
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/^Total reclaimed space: [\d.]+[kMG]?B\n$/m);
  return stdout;
}

describe("prune", () => {
  it.each([
    ["image prune -f", ["app", "base"], ["COPY", "RUN"]],
    ["image prune -a -f", [], ["COPY", "RUN"]],
    ["image prune -a -f --filter until=24h", ["<none>", "app", "base"], ["COPY", "RUN"]],
    ["image prune -a -f --filter until=2001-01-01", ["<none>", "app", "base"], ["COPY", "RUN"]],
    ["image prune -a -f --filter label=v=1", ["<none>", "base"], ["COPY", "RUN"]],
    ["image prune -a -f --filter label!=v", ["<none>", "app"], ["COPY", "RUN"]],
    ["image prune -a -f --filter dangling=true", ["app", "base"], ["COPY", "RUN"]],
    ["image prune -a -f --filter dangling=false", ["<none>"], ["COPY", "RUN"]],
    ["builder prune -f", ["<none>", "app", "base"], ["COPY"]],
    ["builder prune -a -f", ["<none>", "app", "base"], []],
    ["builder prune -a -f --filter until=24h", ["<none>", "app", "base"], ["COPY", "RUN"]],
    ["system prune -f", ["app", "base"], ["COPY"]],
    ["system prune -f --filter until=24h", ["<none>", "app", "base"], ["COPY", "RUN"]],
    ["system prune -a -f --filter label=v", ["base"], ["COPY", "RUN"]],
    ["prune", ["app", "base"], ["COPY", "RUN"]],
    ["prune -a", ["app", "base"], []],
    ["prune -a --filter until=24h", ["<none>", "app", "base"], ["COPY", "RUN"]],
    ["prune --until 0s", ["app", "base"], []],
  ])("%s leaves the images %j, and of the cache %j", async (line, images, steps) => {
    using project = await filled();
    await prune(project, line);
    expect(await names(project)).toEqual(images);
    // The base's name is needed for the build alone.
    if (!images.includes("base")) {
      project.write("Base", fromBusybox);
      await tsbuild(project, ["-q", "-f", "Base", "-t", "base", "."]);
    }
    expect(await cached(project)).toEqual(steps);
  });

  it("of everything leaves an empty store", async () => {
    using project = await filled();
    const text = await prune(project, "system prune -a -f");
    expect(text).toMatch(
      /^Deleted Images:\n(?:(?:untagged: (?:app|base):latest|deleted: sha256:[0-9a-f]{64})\n){5}\nTotal /,
    );
    for (const part of ["snapshots", "blobs/sha256", "leases"])
      expect(readdirSync(join(project.store, part))).toEqual([]);
  });

  it("of everything takes what a clock that was ahead has dated", async () => {
    using project = new Project({ Dockerfile: `${fromBusybox}RUN --mount=type=cache,target=/c echo x > /c/x\n` });
    expect(await tsbuild(project, ["-q", "."])).toMatchObject({ code: 0 });
    const inStore = (name: string): string => join(project.store, name);
    const ahead = Date.UTC(2100, 0);
    {
      using db = new DatabaseSync(inStore("store.db"));
      db.exec(`UPDATE steps SET used = ${ahead}`);
    }
    writeFileSync(inStore("contexts/some"), "");
    for (const [at, part] of ["builds", "contexts", "mounts"].entries()) {
      const [name] = readdirSync(inStore(part));
      if (name === undefined) throw new Error(`nothing is in ${part}`);
      if (part === "builds")
        renameSync(join(inStore(part), name), join(inStore(part), `21000101-00000000${at}-abcdef`));
      else utimesSync(join(inStore(part), name, ...(part === "mounts" ? ["0"] : [])), ahead / 1000, ahead / 1000);
    }
    await prune(project, "builder prune -a -f --filter until=1h");
    await prune(project, "image prune -a -f");
    const left = (): readonly string[] =>
      ["snapshots", "builds", "contexts", "mounts"].filter((part) => readdirSync(inStore(part)).length > 0);
    expect(left()).toEqual(["snapshots", "builds", "contexts", "mounts"]);
    await prune(project, "builder prune -a -f");
    expect(left()).toEqual([]);
  });

  it("asks first on a terminal, and does nothing unless the answer is yes", async () => {
    using project = await filled();
    const before = await names(project);
    for (const [answer, line] of [
      ["n\n", "image prune -a"],
      ["", "image prune -a"],
      ["\n", "system prune -a"],
    ] as const) {
      const { code, stdout } = await tsbuildOnTerminal(project, line.split(" "), answer === "" ? "\u0004" : answer);
      expect([code, stdout]).toEqual([0, expect.stringContaining("without at least one container associated to them")]);
      expect(stdout).not.toContain("Total");
    }
    expect(await names(project)).toEqual(before);
    const yes = await tsbuildAnswering(project, ["image", "prune"], [["[y/N]", "y\r"]]);
    expect(yes.stdout).toMatch(
      /WARNING! This will remove all dangling images\.\r?\nAre you sure you want to continue\? \[y\/N\] y/,
    );
    expect(yes.stdout).toContain("Total reclaimed space");
    expect(await names(project)).toEqual(["app", "base"]);
  });

  it("takes downloads that nobody goes on with", async () => {
    using project = new Project({});
    await tsbuild(project, ["images"]);
    const ingest = join(project.store, "ingest");
    mkdirSync(ingest);
    const file = join(ingest, `sha256-${"a".repeat(64)}`);
    writeFileSync(file, "part");
    await tsbuild(project, ["images"]);
    expect(readdirSync(ingest)).toHaveLength(1);
    await using store = await openStore({ root: project.store });
    const digest = parseDigest(`sha256:${"b".repeat(64)}`);
    await using partial = await store.content.ingest({ mediaType: "x", digest, size: 9 });
    await partial.write(Buffer.from("half"));
    expect(await prune(project, "prune")).toContain("Total reclaimed space: 4B");
    expect(readdirSync(ingest)).toEqual([`sha256-${"b".repeat(64)}`]);
  });
});
