import { copyFileSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { tsbuild, type Ended } from "../rig/command.ts";
import { fromBusybox, Project } from "../rig/project.ts";
import { TestRegistry } from "../rig/registry.ts";
import { SmallDisk } from "../rig/small-disk.ts";

/** From the error on: paths and numbers that differ from run to run have names. */
function told({ stderr }: Ended, project: Project, registry?: TestRegistry): string {
  const text = stderr.slice(Math.max(0, stderr.search(/^(?:error|warning)\[|^ \d+ warning/m)));
  return text
    .replaceAll(registry?.host ?? "no registry", "HOST")
    .replaceAll(project.directory, "CONTEXT")
    .replaceAll(project.store, "STORE")
    .replace(/builds\/[\w-]+\/logs\/\S+/g, "LOG");
}

/** What every error keeps to. */
function expectManners({ code, stdout, stderr }: Ended, exit = 1): void {
  expect([code, stdout]).toEqual([exit, ""]);
  const error = stderr.slice(stderr.search(/^error\[/m));
  expect(error.trimEnd().split("\n").length).toBeLessThanOrEqual(12);
  expect(error).toMatch(/^error\[E_[A-Z_]+\]: [A-Z]/);
  expect(error).toMatch(/^ {2}help: \S/m);
  expect(error).not.toMatch(/\n\s+at |node:|undefined|\[object/);
}

/** The head of an executable for 32-bit arm, which is text. */
const armProgram = `\x7fELF\x01\x01\x01${"\0".repeat(9)}\x02\0\x28\0\x01${"\0".repeat(99)}\n`;

describe("the text of an error", () => {
  it("of a command that the image has not, has its word, a name that is near, and the way in", async () => {
    using project = new Project({ Dockerfile: `${fromBusybox}RUN true && \\\n  sleeep 1\n` });
    const failed = await tsbuild(project, ["-q", "."]);
    expectManners(failed);
    expect(told(failed, project)).toBe(`error[E_RUN_FAILED]: RUN exited with code 127
  --> Dockerfile:4:3   ([2/2] RUN true &&   sleeep 1)
   3 | RUN true && \\
   4 |   sleeep 1
     |   ^^^^^^ /bin/sh: sleeep: not found
  = full log: STORE/LOG
  help: did you mean \`sleep\`?
    a shell before that step:  tsbuild shell --at failed .   (after it: --shell-on-fail)
`);
  });

  it("of a program in exec form that is not there, with the flags of the build", async () => {
    using project = new Project({ D: `${fromBusybox}ARG A\nRUN ["slep", "1"]\n` });
    const failed = await tsbuild(project, ["-q", "-f", "D", "--build-arg", "A=secret", "."]);
    expectManners(failed);
    expect(told(failed, project)).toBe(`error[E_RUN_FAILED]: RUN exited with code 127
  --> D:4:7   ([2/2] RUN ["slep", "1"])
   3 | ARG A
   4 | RUN ["slep", "1"]
     |       ^^^^ Cannot execute "slep": ENOENT
  help: did you mean \`sleep\`?
    a shell before that step:  tsbuild shell --at failed --file D --build-arg A=... .   (after it: --shell-on-fail)
`);
  });

  it("of a base image that is not there", async () => {
    await using registry = await TestRegistry.start();
    using project = new Project({ Dockerfile: "FROM alpin:3.22\n" });
    const mirror = ["--registry-mirror", `docker.io=http://${registry.host}`];
    const failed = await tsbuild(project, ["-q", ...mirror, "."]);
    expectManners(failed);
    expect(told(failed, project, registry)).toMatch(
      /^error\[E_BASE_NOT_FOUND\]: Cannot find docker\.io\/library\/alpin:3\.22: it does not exist, or is private\n {2}--> Dockerfile:1:6\n {3}1 \| FROM alpin:3\.22\n {5}\| {6}\^{10}\n {2}= Cannot pull .*HOST does not have it \(404 MANIFEST_UNKNOWN\).*\n(?: {2}= .*\n)* {2}help: did you mean `alpine:3\.22`\?\n {4}if it is private: tsbuild login docker\.io\n$/,
    );
  });

  it("of a registry that nobody answers for, with what the store has", async () => {
    using project = new Project({ Dockerfile: "FROM scratch\nCOPY a /a\n", a: "", Use: "FROM 127.0.0.1:1/ap\n" });
    await tsbuild(project, ["-q", "-t", "127.0.0.1:1/app", "."]);
    const failed = await tsbuild(project, ["-q", "-f", "Use", "."]);
    expectManners(failed);
    expect(told(failed, project)).toBe(`error[E_REGISTRY_UNREACHABLE]: Cannot connect to 127.0.0.1:1 (ECONNREFUSED)
  --> Use:1:6
   1 | FROM 127.0.0.1:1/ap
     |      ^^^^^^^^^^^^^^
  help: did you mean 127.0.0.1:1/app, which is in the store?
    check the name and the network, or name a mirror: --registry-mirror HOST=URL
`);
    project.write("Use", "FROM 127.0.0.1:1/app\n");
    const pulled = await tsbuild(project, ["-q", "--pull", "-f", "Use", "."]);
    expect(told(pulled, project)).toContain("  help: an older copy is in the store: --pull=never\n");
    const never = await tsbuild(project, ["run", "--pull=never", "127.0.0.1:1/ap"]);
    expectManners(never, 125);
    expect(told(never, project)).toContain("  help: did you mean 127.0.0.1:1/app?\n");
  });

  it("of a registry that wants to know who asks", async () => {
    await using registry = await TestRegistry.start();
    registry.faults.auth = { scheme: "bearer", user: "me", password: "x" };
    using project = new Project({ Dockerfile: "FROM scratch\nCOPY a /a\n", a: "" });
    const image = `${registry.host}/team/app`;
    await tsbuild(project, ["-q", "-t", image, "."]);
    const home = join(project.store, "..", "home");
    mkdirSync(join(home, ".docker"), { recursive: true });
    writeFileSync(join(home, ".docker", "config.json"), '{"credsStore":"desktop"}');
    const failed = await tsbuild(project, ["push", "-q", image]);
    expectManners(failed);
    expect(failed.stderr.replaceAll(home, "HOME").replaceAll(registry.host, "HOST")).toBe(
      `warning[W_CREDENTIAL_HELPER]: HOME/.docker/config.json has credsStore "desktop", and docker-credential-desktop is not on PATH: it is passed over
  help: install docker-credential-desktop, or remove that setting
error[E_REGISTRY_AUTH]: Cannot push HOST/team/app:latest: HOST refused it (401)
  = tried HOME/.docker/config.json -> credsStore "desktop" (docker-credential-desktop not found on PATH): nothing for HOST
  help: tsbuild login HOST
`,
    );
  });

  it("of a registry that speaks plain http", async () => {
    await using registry = await TestRegistry.start();
    using project = new Project({});
    // Loopback by a name for which plain http has to be allowed.
    const host = registry.host.replace("127.0.0.1", "0.0.0.0");
    const failed = await tsbuild(project, ["pull", "-q", `${host}/app`]);
    expectManners(failed);
    expect(failed.stderr.replaceAll(host, "HOST")).toBe(
      `error[E_REGISTRY_HTTP]: Cannot talk to HOST: it answered plain HTTP to a TLS hello
  help: --insecure-registry HOST, or [[registry]] with insecure = true in /etc/containers/registries.conf
`,
    );
  });

  it("of a disk that is full", async () => {
    using project = new Project({ Dockerfile: "FROM scratch\nCOPY big /\n" });
    writeFileSync(join(project.directory, "big"), Buffer.alloc(30 << 20, 1));
    using disk = new SmallDisk("24m");
    const failed = await tsbuild(project, ["-q", "--root", join(disk.directory, "store"), "."]);
    expectManners(failed);
    expect(told(failed, project)).toMatch(
      /^error\[E_NO_SPACE\]: Cannot write: no space is left on the store's disk\n {2}--> Dockerfile:2:1\n(?:.*\n)* {2}help: free some: tsbuild prune, or tsbuild prune --all for the whole cache; or use another disk: --root DIR\n$/,
    );
  });

  it("of a Node that is too old, printed by the launcher", () => {
    using project = new Project({});
    const bin = join(project.directory, "bin");
    const cli = join(project.directory, "package", "builder", "cli");
    mkdirSync(bin);
    mkdirSync(cli, { recursive: true });
    copyFileSync(resolve("builder/cli/tsbuild"), join(cli, "tsbuild"));
    writeFileSync(join(bin, "node"), "#!/bin/sh\necho 20.20.2\n", { mode: 0o755 });
    for (const name of ["sh", "readlink"]) symlinkSync(`/bin/${name}`, join(bin, name));
    const { status, stdout, stderr } = spawnSync(join(cli, "tsbuild"), ["."], { env: { PATH: bin }, encoding: "utf8" });
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr.replaceAll(project.directory, "TOP").replaceAll("builder/cli/../..", "")).toBe(
      `error[E_NODE_TOO_OLD]: tsbuild needs Node 24.15 or newer, this is 20.20.2
  help: npm install in TOP/package/   (its optional dependency brings the right Node), or npm i -g node@24
`,
    );
  });

  it("of a COPY of what an ignore file hides, with its line", async () => {
    using project = new Project({
      Dockerfile: "FROM scratch\nCOPY secret.txt /\n",
      ".dockerignore": "# first\n*.log\nsecret*\n",
      "secret.txt": "",
    });
    const failed = await tsbuild(project, ["-q", "."]);
    expectManners(failed);
    expect(told(failed, project)).toBe(`error[E_COPY_NOT_FOUND]: Cannot find /secret.txt in the build context
  --> Dockerfile:2:1
   1 | FROM scratch
   2 | COPY secret.txt /
     | ^^^^^^^^^^^^^^^^^
  = it is excluded by .dockerignore line 3: secret*
  help: add a line \`!secret.txt\` to the ignore file
`);
  });

  it("of a context that is copied whole and large is a warning with its largest directories", async () => {
    using project = new Project({
      Dockerfile: "FROM scratch\nCOPY . /\nCOPY . /again/\n",
      ".dockerignore": "busybox\n",
      "node_modules/a/b": "",
      "src/x": "",
      data: "",
    });
    const size = (path: string, megabytes: number): void =>
      truncateSync(join(project.directory, path), megabytes * 1e6);
    size("node_modules/a/b", 60);
    size("src/x", 30);
    size("data", 15);
    const built = await tsbuild(project, ["."]);
    expect([built.code, built.stdout]).toEqual([0, ""]);
    const text =
      "105 MB of the context were copied: node_modules 60 MB, src 30 MB, data 15 MB; what is not needed may stay out (printf '%s\\n' node_modules >> .dockerignore)";
    expect(built.stderr.split(text)).toHaveLength(3); // in its step, and once below
    expect(built.stderr).toContain("1 warning found");
    const again = await tsbuild(project, ["."]);
    expect(again.stderr).not.toContain("of the context were copied");
  });

  it.each([
    ["--targt x .", "E_OPTION_UNKNOWN", "did you mean --target?"],
    ["--progress plian .", "E_USAGE", "did you mean plain?"],
    ["imags", "E_COMMAND_UNKNOWN", "did you mean tsbuild images?"],
    ["--target bas .", "E_TARGET_NOT_FOUND", "did you mean `--target base`?"],
    ["-f Dockerfil .", "E_DOCKERFILE_NOT_FOUND", "did you mean -f "],
    ["-t Bad/Name .", "E_REF_INVALID", "an image name is"],
    ["-o type=tra .", "E_USAGE", "-o"],
    ["./nosuch", "E_CONTEXT", "give a directory"],
    ["inspect ap", "E_IMAGE_NOT_FOUND", "did you mean app:latest?"],
    ["rmi ap", "E_IMAGE_NOT_FOUND", "did you mean app:latest?"],
    ["history ap", "E_IMAGE_NOT_FOUND", "did you mean app:latest?"],
    ["save -o x ap", "E_IMAGE_NOT_FOUND", "did you mean app:latest?"],
    ["save -o no/x app", "E_OUTPUT_FILE", "mkdir -p no"],
    ["load -i nosuch", "E_ARCHIVE_READ", "check the path"],
    ["images --filter danglin=true", "E_USAGE", "did you mean --filter dangling=...?"],
    ["images --format {{.Idd}}", "E_TEMPLATE", "fields: "],
    ["config rot", "E_USAGE", "did you mean tsbuild config root?"],
    ["run --memry 1g app", "E_OPTION_UNKNOWN", "did you mean --memory?"],
    ["-o  .", "E_USAGE", "-o DIR"],
    ["--platform nosuch .", "E_PLATFORM_INVALID", "--platform linux/amd64"],
    ["--push .", "E_PUSH_NAME", "name it: -t registry/name:tag"],
    [
      "push localhost:1/team/app:2",
      "E_IMAGE_NOT_FOUND",
      "name it first: tsbuild tag app:latest localhost:1/team/app:2",
    ],
    ["pull https://localhost:1/app", "E_REF_INVALID", "leave out https://"],
    ["image frob", "E_COMMAND_UNKNOWN", "tsbuild image build|"],
    ["-t app", "E_USAGE", "the directory to build is missing; for this one:  tsbuild -t app ."],
    ["buildx bake", "E_COMMAND_NOT_IMPLEMENTED", "tsbuild -f FILE --target STAGE -t NAME DIR"],
    ["buildx create --use", "E_COMMAND_NOT_IMPLEMENTED", "no builder is needed"],
    ["buildx imagetools inspect app", "E_COMMAND_NOT_IMPLEMENTED", "tsbuild inspect IMAGE"],
    ["buildx du", "E_COMMAND_NOT_IMPLEMENTED", "tsbuild prune"],
    ["system df", "E_COMMAND_NOT_IMPLEMENTED", "tsbuild images has the size"],
    ["pull oci-archive:x.tar", "E_REF_INVALID", "tsbuild load -i x.tar"],
    ["pull oci:dir/x:1", "E_REF_INVALID", "--build-context NAME=oci-layout://dir/x:1"],
    ["--target nosuch .", "E_TARGET_NOT_FOUND", "tsbuild --call=targets"],
  ])("of %s says %s: %s", async (line, code, help) => {
    using project = new Project({ Dockerfile: "FROM scratch AS base\nCOPY a /a\n", a: "" });
    await tsbuild(project, ["-q", "-t", "app", "."]);
    const failed = await tsbuild(project, line.split(" "));
    expect(failed.stderr).toContain(`error[${code}]`);
    expectManners({ ...failed, stdout: failed.stdout.replace(/^\[\]\n$/, "") }, failed.code ?? 0);
    expect(failed.code).toBe(/^E_(?:USAGE|OPTION|COMMAND|TEMPLATE|REF_INVALID|PLATFORM)/.test(code) ? 2 : 1);
    expect(failed.stderr).toContain(help);
  });

  it.each([
    ["FROM oci-archive:x.tar\n", "E_REF_INVALID", "tsbuild load -i x.tar"],
    ["FROM docker-daemon:app:1\n", "E_REF_INVALID", "docker save app:1 | tsbuild load"],
    ["FROM containers-storage:localhost/app\n", "E_REF_INVALID", "podman save localhost/app | tsbuild load"],
    ["FROM dir:/x\n", "E_REF_INVALID", "skopeo copy"],
    ["FROM scratch\nRUN <<- EOF\necho a\nEOF\n", "E_INSTRUCTION_UNKNOWN", "right behind, <<-EOF"],
    ["FROM scratch\nCOPY <<- 'EOF' /a\necho a\nEOF\n", "E_INSTRUCTION_UNKNOWN", "right behind, <<-'EOF'"],
    [`${fromBusybox}RUN <<EOF\r\necho a\r\nfalse\r\nEOF\r\n`, "E_RUN_FAILED", "dos2unix Dockerfile"],
    [`${fromBusybox}RUN <<EOF\r\n#!/bin/sh\r\necho a\r\nEOF\r\n`, "E_RUN_FAILED", "dos2unix Dockerfile"],
    [`${fromBusybox}RUN false \\\r\n  a\r\n`, "E_RUN_FAILED", "help: a shell before that step"],
    [
      `${fromBusybox}COPY --chmod=755 arm /bin/\nRUN ["/bin/arm"]\n`,
      "E_RUN_FAILED",
      "it is a program for arm, and this",
    ],
    [
      `${fromBusybox}COPY --chmod=755 arm /bin/\nRUN echo a && arm\n`,
      "E_RUN_FAILED",
      "it is a program for arm, and this",
    ],
    [`${fromBusybox}ENV A=${"a".repeat(140_000)}\nRUN true\n`, "E_RUN_FAILED", "too long for the kernel"],
    [
      `${fromBusybox}RUN /bin/ls $(seq 1000000) 2>&1 | tail -c 200; exit 126\n`,
      "E_RUN_FAILED",
      "too long for the kernel",
    ],
    [`${fromBusybox}COPY arm /bin/\nRUN ["/bin/arm"]\n`, "E_RUN_FAILED", "help: make it executable: chmod +x"],
    [`FROM scratch\nWORKDIR /${"n".repeat(256)}\n`, "E_PATH_TOO_LONG", "help: a path has at most 4095 bytes"],
    [`FROM scratch\nCOPY ${"n/".repeat(2100)}x /\n`, "E_PATH_TOO_LONG", "help: a path has at most 4095 bytes"],
    [
      `${fromBusybox}RUN --mount=type=tmpfs,target=/${"n".repeat(256)} true\n`,
      "E_RUNTIME_SETUP",
      "help: a path has at most 4095 bytes",
    ],
    [`${fromBusybox}RUN ["/bin"]\n`, "E_RUN_FAILED", "help: it is a directory"],
    [`${fromBusybox}RUN ["/bin/sh/x"]\n`, "E_RUN_FAILED", "help: check its path: a part of it is no directory"],
  ])("of the Dockerfile %j says %s: %s", async (text, code, help) => {
    using project = new Project({ Dockerfile: text, arm: armProgram });
    const failed = await tsbuild(project, ["-q", "."]);
    expectManners({ ...failed, stderr: failed.stderr.slice(failed.stderr.search(/^error\[/m)) });
    expect(failed.stderr).toContain(`error[${code}]`);
    expect(failed.stderr).toContain(help);
  });
});
