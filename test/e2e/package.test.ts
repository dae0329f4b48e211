import { execFileSync } from "node:child_process";
import {
  chmodSync,
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
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fromBusybox, Project } from "../rig/project.ts";

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
    writeFileSync(join(home, "package.json"), '{ "type": "module" }');
    writeFileSync(join(home, "use.ts"), use);
    const { compilerOptions } = JSON.parse(readFileSync(join(top, "tsconfig.json"), "utf8"));
    writeFileSync(
      join(home, "tsconfig.json"),
      JSON.stringify({ compilerOptions: { ...compilerOptions, skipLibCheck: false }, files: ["use.ts"] }),
    );
    execute(join(modules, ".bin/tsc"), ["-p", "."]);
    expect(execute(process.execPath, ["use.ts", project.directory, project.store])).toBe("true\n");
  });
});

const mtime = (file: string): bigint => statSync(file, { bigint: true }).mtimeNs;

function packageVersion(): string {
  return JSON.parse(readFileSync(join(top, "package.json"), "utf8")).version;
}
