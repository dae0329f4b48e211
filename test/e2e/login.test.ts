import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { tsbuild, tsbuildAnswering, tsbuildWith, type Ended } from "../rig/command.ts";
import { Project } from "../rig/project.ts";
import { TestRegistry } from "../rig/registry.ts";

const home = (project: Project): string => join(project.store, "..", "home");
const config = (project: Project): string => join(home(project), ".docker", "config.json");

/** A registry that takes one user, and an image in it. */
async function guarded(scheme: "basic" | "bearer"): Promise<TestRegistry> {
  const registry = await TestRegistry.start();
  registry.publish("team/app", "1", "a");
  registry.faults.auth = { scheme, user: "me", password: "pass:word" };
  return registry;
}

async function login(project: Project, words: string, password: string): Promise<Ended> {
  return await tsbuild(project, `login -u me --password-stdin ${words}`.split(" "), password);
}

/** A credential helper that keeps what it is told in a file. */
function installHelper(project: Project): Readonly<Record<string, string>> {
  const bin = join(home(project), "bin");
  mkdirSync(bin, { recursive: true });
  const program = join(bin, "docker-credential-test");
  writeFileSync(
    program,
    `#!/bin/sh
kept=${home(project)}/kept
case $1 in
store) cat > $kept ;;
get) read server; grep -q "\\"ServerURL\\":\\"$server\\"" $kept && cat $kept || { echo "not found"; exit 1; } ;;
erase) cat > /dev/null; rm $kept ;;
esac
`,
  );
  chmodSync(program, 0o755);
  return { PATH: `${bin}:${process.env["PATH"] ?? ""}` };
}

describe("tsbuild login", () => {
  for (const scheme of ["basic", "bearer"] as const) {
    it(`checks credentials by ${scheme}, keeps them for the user alone, and pulls with them`, async () => {
      await using registry = await guarded(scheme);
      using project = new Project({});
      const image = `${registry.host}/team/app:1`;
      const refused = await tsbuild(project, ["pull", image]);
      expect(refused.stderr).toContain("error[E_REGISTRY_AUTH]");
      expect(refused.stderr).toContain(`help: tsbuild login ${registry.host}\n`);
      const wrong = await login(project, registry.host, "wrong");
      expect([wrong.code, wrong.stdout]).toEqual([1, ""]);
      expect(wrong.stderr).toContain("error[E_REGISTRY_AUTH]");
      expect(existsSync(config(project))).toBe(false);
      const right = await login(project, registry.host, "pass:word\n");
      expect([right.code, right.stdout]).toEqual([0, "Login Succeeded\n"]);
      expect(right.stderr).toMatch(/config\.json, unencrypted\n$/);
      expect(right.stderr).not.toContain("pass:word");
      expect(statSync(config(project)).mode & 0o777).toBe(0o600);
      expect(statSync(join(home(project), ".docker")).mode & 0o777).toBe(0o700);
      expect((await tsbuild(project, ["pull", "-q", image])).stdout).toBe(`${image}\n`);
      const out = await tsbuild(project, ["logout", registry.host]);
      expect([out.code, out.stdout]).toEqual([0, `Removing login credentials for ${registry.host}\n`]);
      expect(JSON.parse(readFileSync(config(project), "utf8"))).toEqual({ auths: {} });
      const again = await tsbuild(project, ["logout", registry.host]);
      expect([again.code, again.stdout, again.stderr]).toEqual([0, "", expect.stringContaining("Not logged in to")]);
    });
  }

  it("leaves the rest of docker's config as it is, also behind a symbolic link", async () => {
    await using registry = await guarded("basic");
    using project = new Project({});
    const dotfiles = join(home(project), "dotfiles.json");
    mkdirSync(join(home(project), ".docker"), { recursive: true });
    const before = {
      psFormat: "x",
      auths: { "https://index.docker.io/v1/": { auth: "eDp5" }, [`https://${registry.host}/v1/`]: { auth: "b2xk" } },
    };
    writeFileSync(dotfiles, JSON.stringify(before));
    symlinkSync(dotfiles, config(project));
    await login(project, `https://${registry.host}/`, "pass:word");
    expect(JSON.parse(readFileSync(dotfiles, "utf8"))).toEqual({
      psFormat: "x",
      auths: {
        "https://index.docker.io/v1/": { auth: "eDp5" },
        [registry.host]: { auth: Buffer.from("me:pass:word").toString("base64") },
      },
    });
    const all = await tsbuild(project, ["logout", "--all"]);
    expect(all.stdout).toContain("Removing login credentials for docker.io\n");
    expect(JSON.parse(readFileSync(dotfiles, "utf8"))).toEqual({ psFormat: "x", auths: {} });
  });

  it("keeps credentials of a namespace apart, in a file of one's own", async () => {
    await using registry = await guarded("basic");
    using project = new Project({});
    const done = await login(project, `--authfile own.json ${registry.host}/team`, "pass:word");
    expect(done.code).toBe(0);
    expect(Object.keys(JSON.parse(readFileSync(join(project.directory, "own.json"), "utf8")).auths)).toEqual([
      `${registry.host}/team`,
    ]);
    const image = `${registry.host}/team/app:1`;
    expect((await tsbuild(project, ["pull", "-q", image])).code).toBe(1);
    expect((await tsbuild(project, ["pull", "-q", "--authfile", "own.json", image])).code).toBe(0);
    const byVariable = await tsbuildWith(project, ["pull", "-q", image], { REGISTRY_AUTH_FILE: "own.json" });
    expect(byVariable.code).toBe(0);
    const missing = await tsbuild(project, ["pull", "--authfile", "nosuch.json", image]);
    expect(missing.stderr).toContain("error[E_AUTH_FILE]");
  });

  it("uses the credential helper that docker's config names, and warns when it is not there", async () => {
    await using registry = await guarded("bearer");
    using project = new Project({});
    mkdirSync(join(home(project), ".docker"), { recursive: true });
    writeFileSync(config(project), JSON.stringify({ credsStore: "test" }));
    const env = installHelper(project);
    const words = ["login", "-u", "me", "-p", "pass:word", registry.host];
    const missing = await tsbuild(project, words);
    expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining("error[E_CREDENTIAL_HELPER]")]);
    expect((await tsbuildWith(project, words, env)).code).toBe(0);
    expect(JSON.parse(readFileSync(join(home(project), "kept"), "utf8"))).toEqual({
      ServerURL: registry.host,
      Username: "me",
      Secret: "pass:word",
    });
    expect(JSON.parse(readFileSync(config(project), "utf8"))).toEqual({
      credsStore: "test",
      auths: { [registry.host]: {} },
    });
    const image = `${registry.host}/team/app:1`;
    expect((await tsbuildWith(project, ["pull", "-q", image], env)).code).toBe(0);
    const passedOver = await tsbuild(project, ["pull", "-q", image]);
    expect(passedOver.stderr).toContain("docker-credential-test is not on PATH: it is passed over");
    expect(passedOver.stderr).toContain("  help: install docker-credential-test, or remove that setting\n");
    expect(passedOver.stderr).toContain("error[E_REGISTRY_AUTH]");
    expect((await tsbuildWith(project, ["logout", registry.host], env)).code).toBe(0);
    expect(existsSync(join(home(project), "kept"))).toBe(false);
  });

  it("asks on a terminal, and shows nothing of the password", async () => {
    await using registry = await guarded("basic");
    using project = new Project({});
    const words = ["login", registry.host];
    const typed = await tsbuildAnswering(project, words, [
      ["Username: ", "mex\u007f\r"],
      ["Password: ", "pass:word\r"],
    ]);
    expect(typed.code).toBe(0);
    expect(typed.stdout).toContain("Username: mex\b \b\r\nPassword: \r\n");
    expect(typed.stdout).toContain("Login Succeeded");
    expect(typed.stdout).not.toContain("pass:word");
    const stopped = await tsbuildAnswering(project, words, [
      ["Username: ", "me\r"],
      ["Password: ", "pa\u0003"],
    ]);
    expect(stopped.code).toBe(130);
    expect(stopped.stdout).not.toContain("pa\u0003");
  });

  it("says when other credentials come first", async () => {
    await using registry = await guarded("basic");
    using project = new Project({});
    const runtime = join(home(project), "run");
    mkdirSync(join(runtime, "containers"), { recursive: true });
    const auths = { [registry.host]: { auth: Buffer.from("old:old").toString("base64") } };
    writeFileSync(join(runtime, "containers", "auth.json"), JSON.stringify({ auths }));
    const words = ["login", "-u", "me", "-p", "pass:word", registry.host];
    const done = await tsbuildWith(project, words, { XDG_RUNTIME_DIR: runtime });
    expect(done.code).toBe(0);
    expect(done.stderr).toMatch(/warning\[W_LOGIN_SHADOWED\]: .*auth\.json has other credentials/);
  });

  it.each([
    ["no terminal", "login r.example", "E_NOT_A_TERMINAL"],
    ["a password without a user", "login --password-stdin r.example", "E_USAGE"],
    ["what is no registry", "login -u a -p b UPPER/CASE", "E_USAGE"],
  ])("refuses %s", async (_, line, code) => {
    using project = new Project({});
    const refused = await tsbuild(project, line.split(" "));
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining(`error[${code}]`)]);
  });
});
