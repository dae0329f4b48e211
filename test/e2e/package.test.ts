import { execFile, execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fromBusybox, Project } from "../rig/project.ts";
import { TestRegistry } from "../rig/registry.ts";

const top = join(import.meta.dirname, "../..");
const modules = join(top, "node_modules");
let home: string;

function execute(command: string, args: readonly string[], options: { cwd?: string; env?: object } = {}): string {
  const env = { ...process.env, ...options.env };
  return execFileSync(command, args, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    cwd: home,
    ...options,
    env,
  });
}

describe("the package that npm publishes", () => {
  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), "tsbuild-package-"));
    execute("npm", ["pack", "--silent", "--pack-destination", home], { cwd: top });
    const [archive = ""] = readdirSync(home);
    execute("tar", ["-xzf", archive]);
    mkdirSync(join(home, "node_modules"));
    for (const name of readdirSync(modules))
      if (!name.startsWith(".")) symlinkSync(join(modules, name), join(home, "node_modules", name));
    execute("mv", ["package", "node_modules/tsbuild"]);
  });

  afterAll(() => rmSync(home, { recursive: true, force: true }));

  it("has a command that builds, makes its native part by itself, and runs", () => {
    using project = new Project({ Dockerfile: `${fromBusybox}RUN echo packed > /file\nCMD ["cat", "/file"]\n` });
    const tsbuild = (...args: readonly string[]): string =>
      execute(join(home, "node_modules/tsbuild/builder/cli/tsbuild"), args, { env: { TSBUILD_ROOT: project.store } });
    expect(tsbuild("--version")).toBe(`tsbuild ${packageVersion()}\n`);
    expect(tsbuild("-q", "-t", "app", project.directory)).toMatch(/^sha256:[0-9a-f]{64}\n$/);
    expect(tsbuild("run", "app")).toBe("packed\n");
    expect(readdirSync(join(home, "node_modules/tsbuild/native/build"))).toEqual(["tsbuild-init"]);
  });

  it("loads nothing of the network for a build that finds everything: each such module costs a start 10 ms", () => {
    using project = new Project({ Dockerfile: "FROM scratch\nCOPY a /a\n", a: "text" });
    const hook = join(home, "loaded.cjs");
    writeFileSync(hook, `process.on("exit", () => process._rawDebug("LOADED " + process.moduleLoadList.join(" ")));`);
    const build = [
      "-c",
      '"$0" -q "$1" 2>&1',
      join(home, "node_modules/tsbuild/builder/cli/tsbuild"),
      project.directory,
    ];
    const env = { TSBUILD_ROOT: project.store, NODE_OPTIONS: `--require=${hook}` };
    execute("sh", build, { env });
    const loaded = execute("sh", build, { env });
    expect(loaded).toContain("LOADED ");
    for (const name of ["tls", "https", "_http_client", "child_process", "zlib", "readline"])
      expect(loaded.split(/\s+/)).not.toContain(name);
  });

  it("keeps its compiled code in a cache that is the user's alone, and does without", () => {
    using project = new Project({ Dockerfile: "FROM scratch\nCOPY a /a\n", a: "text" });
    const caches = join(home, "cache");
    const code = join(caches, "tsbuild/code");
    const env = { TSBUILD_ROOT: project.store, XDG_CACHE_HOME: caches };
    const image = (): string =>
      execute(join(home, "node_modules/tsbuild/builder/cli/tsbuild"), ["-q", project.directory], { env });
    const kept = (): readonly string[] => readdirSync(code).map((name) => `${name} ${mtime(join(code, name))}`);
    const taught = Array.from({ length: 3 }, () => (image(), kept().join()));
    expect(new Set(taught).size).toBe(3);
    const built = image();
    expect(kept().join()).toBe(taught[2]);
    const [name = ""] = readdirSync(code);
    writeFileSync(join(code, name), "damaged");
    expect(image()).toBe(built);
    expect(statSync(join(code, name)).size).toBeGreaterThan(100_000);
    rmSync(code, { recursive: true });
    chmodSync(join(caches, "tsbuild"), 0o777);
    expect(image()).toBe(built);
    expect(readdirSync(join(caches, "tsbuild"))).not.toContain("code");
  });

  it("has a library whose entries load, and whose types check without skipLibCheck", () => {
    using project = new Project({ Dockerfile: "FROM scratch\nCOPY a /a\n", a: "text" });
    const use = `import { build, images, type BuildEvent } from "tsbuild";
import { openStore } from "tsbuild/store";
import { RegistryClient } from "tsbuild/registry";
import { exitCode } from "tsbuild/runtime";

const [context = "", root = ""] = process.argv.slice(2);
await using building = build({ context, root, tags: ["app"] });
const events: BuildEvent[] = [];
for await (const event of building) events.push(event);
await using store = await openStore({ root });
await using client = new RegistryClient({});
const { imageID } = await building.result;
const [image] = await images({ root: store.root });
console.log(image?.id === imageID && events.length > 0 && client instanceof RegistryClient && exitCode({ kind: "exited", code: 3 }) === 3);
`;
    checkTypes({ "use.ts": use });
    expect(execute(process.execPath, ["use.ts", project.directory, project.store])).toBe("true\n");
    const required = 'const { build } = require("tsbuild"); console.log(typeof build)';
    expect(execute(process.execPath, ["-e", required])).toBe("function\n");
  });

  it("has an example of every call in docs/library.md, whose types check, and which run", async () => {
    using project = new Project({ Dockerfile: `${fromBusybox}ARG VERSION\nRUN echo $VERSION\n` });
    await using registry = await TestRegistry.start();
    const programs = examples(project.store, registry.host);
    const files = Object.fromEntries(programs.map((code, at) => [`example-${at}.ts`, code]));
    checkTypes(files);
    symlinkSync("busybox", join(project.directory, "rootfs"));
    let printed = "";
    for (const file of Object.keys(files)) {
      const ended = await promisify(execFile)(process.execPath, [join(home, file)], { cwd: project.directory });
      expect([file, ended.stderr]).toEqual([file, ""]);
      printed += ended.stdout;
    }
    for (const line of ["1.2", "0 hello world", "ready", "7", "3", "[ 'docker.io/library/other:1' ]"])
      expect(printed).toMatch(new RegExp(`^${line.replaceAll(/[[\].]/g, "\\$&")}$`, "m"));
    const calls = Object.entries({ builder: "tsbuild", store: "tsbuild/store", registry: "tsbuild/registry" });
    for (const [entry, name] of calls) {
      const exported = execute(process.execPath, ["-p", `Object.keys(require("${name}")).join()`])
        .trim()
        .split(",");
      const verbs = exported.filter((word) => /^[a-z]/.test(word) && !parts.includes(word));
      expect([entry, verbs.filter((verb) => !programs.some((code) => code.includes(`${verb}(`)))]).toEqual([entry, []]);
    }
  });

  it.skipIf(olderNode() === undefined)("says to an older Node that it is too old (skipped without one)", () => {
    const use = `import("tsbuild").catch(({ code, message }) => console.log(code, message))`;
    expect(execute(olderNode() ?? "", ["-e", use])).toMatch(/^E_NODE_TOO_OLD tsbuild needs Node 24\.\d+ or newer/);
  });
});

/** What the calls are made of, and no calls of their own. */
const parts = [
  "runExitCodes",
  "pullLayers",
  "pullBlob",
  "pullIndex",
  "pushImage",
  "pushIndex",
  "mountSources",
  "missingManifests",
];

function checkTypes(files: Readonly<Record<string, string>>): void {
  writeFileSync(join(home, "package.json"), '{ "type": "module" }');
  for (const [name, code] of Object.entries(files)) writeFileSync(join(home, name), code);
  const { compilerOptions } = JSON.parse(readFileSync(join(top, "tsconfig.json"), "utf8"));
  const options = { ...compilerOptions, skipLibCheck: false };
  writeFileSync(join(home, "tsconfig.json"), JSON.stringify({ compilerOptions: options, files: Object.keys(files) }));
  const { stdout } = spawnSync(join(modules, ".bin/tsc"), ["-p", "."], { cwd: home, encoding: "utf8" });
  expect(stdout).toBe("");
}

/** The programs of docs/library.md, for a store and a registry of a test. */
function examples(store: string, registry: string): readonly string[] {
  const text = readFileSync(join(home, "node_modules/tsbuild/docs/library.md"), "utf8");
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = ""]) =>
    code.replaceAll("/var/lib/tsbuild", store).replaceAll("registry.example", registry),
  );
}

/** A Node that is older than the package takes, where the machine has one. */
function olderNode(): string | undefined {
  const paths = ["/usr/bin/node", "/usr/local/bin/node"].filter((path) => existsSync(path));
  return paths.find((path) => Number(execute(path, ["-p", "process.versions.node"]).split(".")[0]) < 24);
}

const mtime = (file: string): bigint => statSync(file, { bigint: true }).mtimeNs;

function packageVersion(): string {
  return JSON.parse(readFileSync(join(top, "package.json"), "utf8")).version;
}
