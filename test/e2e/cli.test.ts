import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { capabilityNames } from "../../runtime/security/capabilities.ts";
import { environmentOf } from "../rig/command.ts";
import { Project, fromBusybox } from "../rig/project.ts";

const launcher = resolve("builder/cli/tsbuild");

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command with a store of the project's and an environment of its own. */
function start(project: Project, words: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
  const base = {
    PATH: process.env["PATH"] ?? "",
    HOME: join(project.store, "..", "home"),
    TSBUILD_ROOT: project.store,
    TSBUILD_NETWORK: "host",
  };
  const cache = { XDG_CACHE_HOME: resolve("node_modules/.cache") };
  return spawn(launcher, words, { cwd: project.directory, env: { ...base, ...cache, ...env } });
}

async function ended(child: ChildProcess, input = ""): Promise<Ended> {
  const [stdout, stderr]: Buffer[][] = [[], []];
  child.stdout?.on("data", (chunk: Buffer) => stdout?.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => stderr?.push(chunk));
  child.stdin?.on("error", () => undefined).end(input);
  const [code] = await once(child, "close");
  const text = (chunks: Buffer[] | undefined): string => Buffer.concat(chunks ?? []).toString();
  return { code: typeof code === "number" ? code : null, stdout: text(stdout), stderr: text(stderr) };
}

async function tsbuild(project: Project, line: string, env?: Readonly<Record<string, string>>): Promise<Ended> {
  return await ended(start(project, line.split(" "), env));
}

/** The command with a standard output where every write fails. */
function onFull(project: Project, line: string): ChildProcess {
  const request = { cwd: project.directory, env: environmentOf(project) };
  return spawn("sh", ["-c", `exec ${launcher} ${line} >/dev/full`], request);
}

const hello = `${fromBusybox}RUN echo building\nENV A=1\nCMD ["sh", "-c", "echo hello $A"]\n`;

describe("tsbuild build", () => {
  it("prints progress and summary on standard error and nothing on standard output", async () => {
    using project = new Project({ Dockerfile: hello });
    const first = await tsbuild(project, "-t app .");
    expect([first.code, first.stdout]).toEqual([0, ""]);
    expect(first.stderr).toMatch(/^#1 \[internal\] load build definition from Dockerfile\n/);
    expect(first.stderr).toMatch(
      /\n#\d+ \[2\/2\] RUN echo building\n#\d+ MISS .*\n#\d+ 0\.\d{3} building\n#\d+ DONE \d/,
    );
    expect(first.stderr).toMatch(/✔ built app:latest in \d+\.\ds {2}sha256:[0-9a-f]{12} .* next: tsbuild run app\n/);
    expect(first.stderr).not.toContain("\u001b");
    const second = await tsbuild(project, "build -t app .");
    expect(second.stderr).toMatch(/RUN echo building\n#\d+ CACHED\n/);
    expect(second.stderr).toContain("cache: 2/2 hits");
  });

  it("says why steps ran, in its summary and by `why` in words, JSON and templates", async () => {
    using project = new Project({
      Dockerfile: `${fromBusybox}COPY src /src\nRUN cat /src/a\nRUN echo end\n`,
      "src/a": "1",
    });
    const first = await tsbuild(project, "-t app .");
    expect(first.stderr).not.toContain("ran: ");
    expect((await tsbuild(project, "why")).stdout).toMatch(/^app:latest built .*: the first build, all 4 steps ran\n$/);
    project.write("src/a", "2");
    const second = await tsbuild(project, "-t app .");
    expect(second.stderr).toContain("   ran: COPY src /src (src/a changed)\n");
    expect((await tsbuild(project, "why app")).stdout).toMatch(
      /: 3 of 4 steps ran\n\n {2}COPY src \/src {3}\(line 3\)\n {4}src\/a changed\n {4}then: RUN cat \/src\/a {3}\(line 4\)\n {10}RUN echo end {3}\(line 5\)\n/,
    );
    const report: unknown = JSON.parse((await tsbuild(project, "why --format json .")).stdout);
    expect(report).toMatchObject({
      Outcome: "done",
      Names: ["docker.io/library/app:latest"],
      Steps: [{ Outcome: "cached" }, { Line: 3, Root: true }, { Because: "stage-0/2" }, { Because: "stage-0/2" }],
    });
    const roots = "{{range .Steps}}{{if .Root}}{{(index .Causes 0).Path}}{{end}}{{end}}";
    expect((await tsbuild(project, `why --format=${roots.replaceAll(" ", "\t")}`)).stdout).toBe("src/a\n");
    await tsbuild(project, "-t app .");
    expect((await tsbuild(project, "why")).stdout).toMatch(/: every step came from the cache\n$/);
    expect(await tsbuild(project, "why other")).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringContaining("E_BUILD_NOT_FOUND"),
    });
  });

  it("keeps whole logs, which `logs` prints also for steps that came from the cache", async () => {
    using project = new Project({
      Dockerfile: `${fromBusybox}RUN for i in 1 2 3 4 5 6 7 8 9; do echo line $i; done\nRUN echo out; echo err >&2; exit 4\n`,
    });
    const failed = await tsbuild(project, ".");
    const [, path = ""] = /full log: (.*)/.exec(failed.stderr) ?? [];
    expect(readFileSync(path, "utf8").split("\n").toSorted()).toEqual(["", "err", "out"]);
    expect((await tsbuild(project, "logs . failed")).stdout).toBe(readFileSync(path, "utf8"));
    expect((await tsbuild(project, "logs --path . 4")).stdout).toBe(`${path}\n`);
    project.write("Dockerfile", `${fromBusybox}RUN for i in 1 2 3 4 5 6 7 8 9; do echo line $i; done\nRUN echo done\n`);
    await tsbuild(project, "-t app .");
    const lines = Array.from({ length: 9 }, (_, at) => `line ${at + 1}\n`).join("");
    expect((await tsbuild(project, "logs app 3")).stdout).toBe(lines);
    const all = await tsbuild(project, "logs");
    expect(all.stdout).toBe(`${lines}done\n`);
    expect(all.stderr).toMatch(/^==> \[2\/3\] RUN for .* \(line 3\)\n==> \[3\/3\] RUN echo done \(line 4\)\n$/);
    expect(await tsbuild(project, "logs app 2")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("E_LOG_NOT_FOUND"),
    });
  });

  it("with -q prints exactly the image ID, and writes the same to --iidfile and --metadata-file", async () => {
    using project = new Project({ Dockerfile: hello });
    const built = await tsbuild(project, "-q -t app --iidfile iid --metadata-file meta.json .");
    expect(built).toMatchObject({ code: 0, stderr: "" });
    expect(built.stdout).toMatch(/^sha256:[0-9a-f]{64}\n$/);
    expect(readFileSync(join(project.directory, "iid"), "utf8")).toBe(built.stdout.trim());
    const meta: unknown = JSON.parse(readFileSync(join(project.directory, "meta.json"), "utf8"));
    expect(meta).toMatchObject({
      "containerimage.config.digest": built.stdout.trim(),
      "containerimage.digest": expect.stringMatching(/^sha256:/),
      "image.name": "docker.io/library/app:latest",
      "buildx.build.ref": expect.stringMatching(/^tsbuild\/local\/\d{8}-\d{9}-[0-9a-f]{6}$/),
      "containerimage.descriptor": {
        mediaType: "application/vnd.oci.image.manifest.v1+json",
        digest: expect.stringMatching(/^sha256:/),
        size: expect.any(Number),
        platform: { os: "linux" },
      },
    });
  });

  it("with --progress=rawjson prints JSON lines only", async () => {
    using project = new Project({ Dockerfile: hello });
    const built = await tsbuild(project, "--progress=rawjson .");
    const lines = built.stderr.trimEnd().split("\n");
    const names = lines.flatMap((line) => {
      const status: { vertexes?: readonly { name: string; completed?: string }[] } = JSON.parse(line);
      return (status.vertexes ?? []).filter(({ completed }) => completed !== undefined).map(({ name }) => name);
    });
    expect(names).toContain("[2/2] RUN echo building");
  });

  it("shows a failed RUN with its place, and ends with 1", async () => {
    using project = new Project({ Dockerfile: `${fromBusybox}RUN echo no; exit 42\n` });
    const failed = await tsbuild(project, ".");
    expect([failed.code, failed.stdout]).toEqual([1, ""]);
    expect(failed.stderr).toMatch(/error\[E_RUN_FAILED\].*42/);
    expect(failed.stderr).toMatch(/--> Dockerfile:3:1/);
    expect(failed.stderr).toMatch(/ 3 \| RUN echo no; exit 42\n/);
    expect(failed.stderr).not.toMatch(/\n\s+at /);
    const quiet = await tsbuild(project, "-q .");
    expect(quiet.stderr).toMatch(/^------\n > \[2\/2\] RUN echo no; exit 42:\n\d\.\d+ no\n------\nerror/);
  });

  it.each([
    ["a flag that is not there", "--taq x .", "E_OPTION_UNKNOWN"],
    ["a flag that is not implemented", "--attest id=x .", "E_OPTION_NOT_IMPLEMENTED"],
    ["no context", "-t app", "E_USAGE"],
    ["a command that is not there", "bild", "E_COMMAND_UNKNOWN"],
  ])("refuses %s with 2", async (_, line, code) => {
    using project = new Project({ Dockerfile: hello });
    const refused = await tsbuild(project, line);
    expect([refused.code, refused.stdout]).toEqual([2, ""]);
    expect(refused.stderr).toContain(`error[${code}]`);
    expect(existsSync(project.store)).toBe(false);
  });

  it("annotates the line of an error in GitHub Actions", async () => {
    using project = new Project({ Dockerfile: "FROM scratch\nRUNN x\n" });
    const failed = await tsbuild(project, ".", { GITHUB_ACTIONS: "true" });
    expect(failed.stderr).toMatch(/::error file=Dockerfile,line=2,col=1,title=E_\w+::/);
  });

  it("tells GitHub Actions what it made, and lets no step speak to the runner", async () => {
    using project = new Project({
      Dockerfile: `${fromBusybox}RUN echo "##[add-mask]x"; echo "::error::y"; sleep 1.1\n`,
      Bad: `${fromBusybox}RUN echo "##[set-env]x <b>|"; exit 3\n`,
    });
    const file = (name: string): string => join(project.directory, name);
    const text = (name: string): string => readFileSync(file(name), "utf8");
    const env = { GITHUB_ACTIONS: "true", GITHUB_OUTPUT: file("output"), GITHUB_STEP_SUMMARY: file("summary") };
    const built = await tsbuild(project, "-t app --iidfile iid .", env);
    expect(built.stdout).toBe("");
    expect(built.stderr).toMatch(/^::group::#1 \[internal\] load build definition/);
    expect(built.stderr.match(/^::group::/gm)?.length).toBe(built.stderr.match(/^::endgroup::$/gm)?.length);
    expect(built.stderr).not.toMatch(/##\[|^ *::error/m);
    expect(text("output")).toMatch(new RegExp(`^imageid<<(tsbuild_\\w+)\n${text("iid")}\n\\1\ndigest<<`));
    expect(text("output")).toContain('"image.name":"docker.io/library/app:latest"');
    expect(text("summary")).toContain("### ✔ Built <code>app:latest</code>\n");
    expect(text("summary")).toMatch(/\| <code>&#91;2\/2&#93; RUN echo .*<\/code> \| 1\.\ds \|/);
    const failed = await tsbuild(project, "-f Bad .", env);
    expect(failed.stderr).not.toContain("##[");
    expect(text("summary")).toMatch(/### ❌ Build failed at `Bad:3`\n\n<pre>E&#95;RUN&#95;FAILED: .*&lt;b&gt;/s);
    const warned = await tsbuild(project, "-q .", { ...env, GITHUB_OUTPUT: file("no/output") });
    expect([warned.code, warned.stderr]).toEqual([0, expect.stringContaining("warning[W_CI_FILE]: GITHUB_OUTPUT")]);
  });

  it("on SIGINT ends with 130 and leaves nothing running or mounted", async () => {
    using project = new Project({ Dockerfile: `${fromBusybox}RUN echo ready; sleep 1000\n` });
    const child = start(project, ["."]);
    child.stderr?.on("data", (chunk: Buffer) => {
      if (/\d ready/.test(chunk.toString())) child.kill("SIGINT");
    });
    const interrupted = await ended(child);
    expect(interrupted.code).toBe(130);
    expect(interrupted.stderr).toContain("error[E_CANCELED]");
    expect(readdirSync(join(project.store, "leases"))).toEqual([]);
    expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(project.store);
  });
});

describe("standard output", () => {
  it.each(["run", "builder prune", "image prune"])(
    "has the page of the manual that the help of %s names",
    async (name) => {
      using project = new Project({});
      const help = (await tsbuild(project, `${name} --help`)).stdout;
      const [, line = ""] = /^More than this: tsbuild (.*) \| man -l -$/m.exec(help) ?? [];
      const page = await tsbuild(project, line);
      expect([page.code, page.stderr]).toEqual([0, ""]);
      expect(page.stdout).toContain(`.TH "TSBUILD\\-${name.replace(" ", "\\-").toUpperCase()}" 1`);
    },
  );

  it.each(["images", "inspect app", "save app", "export app", "-o - .", "-o type=oci .", "--help"])(
    "that takes nothing is an error of %s, told once",
    async (line) => {
      using project = new Project({ Dockerfile: hello });
      await tsbuild(project, "-q -t app .");
      const full = await ended(onFull(project, line));
      expect(full).toMatchObject({ code: 1, stdout: "" });
      expect(full.stderr.match(/error\[\w+\]/g)).toEqual(["error[E_OUTPUT_FILE]"]);
      expect(full.stderr).toContain("Cannot write to standard output: ENOSPC");
    },
  );

  it.each([
    ["save app", "save -o file app"],
    ["export app", "export -o file app"],
    ["-q -o - .", "-q -o type=tar,dest=file ."],
    ["-q -o type=oci,dest=- .", "-q -o type=oci,dest=file ."],
  ])("gets of %s what a file gets, to its end", async (toOutput, toFile) => {
    using project = new Project({ Dockerfile: hello });
    await tsbuild(project, "-q -t app .");
    const made = await tsbuild(project, toOutput);
    expect(await tsbuild(project, toFile)).toMatchObject({ code: 0 });
    const file = readFileSync(join(project.directory, "file"), "utf8");
    expect(made.code).toBe(0);
    expect(made.stdout === file).toBe(true);
  });

  it("whose reader has gone ends the command with 141, silently", async () => {
    using project = new Project({ Dockerfile: hello });
    await tsbuild(project, "-q -t app .");
    for (const line of ["save app", "export app", "-q -o - ."]) {
      const child = start(project, line.split(" "));
      child.stdout?.once("data", () => child.stdout?.destroy());
      expect(await ended(child)).toMatchObject({ code: 141, stderr: "" });
    }
  });
});

describe("a signal", () => {
  it("that a wrapper sends once more at once lets the cleanup end all the same", async () => {
    using project = new Project({ Dockerfile: `${fromBusybox}RUN echo ready; sleep 1000\n` });
    const child = start(project, ["--progress=plain", "."]);
    child.stderr?.on("data", (chunk: Buffer) => {
      if (!/\d ready/.test(chunk.toString())) return;
      child.kill("SIGINT");
      child.kill("SIGTERM");
    });
    const interrupted = await ended(child);
    expect(interrupted.stderr).toContain("error[E_CANCELED]");
    expect([130, 143]).toContain(interrupted.code);
    expect(readdirSync(join(project.store, "leases"))).toEqual([]);
  });
});

describe("tsbuild run", () => {
  it("gives the container's output and exit code", async () => {
    using project = new Project({ Dockerfile: hello });
    await tsbuild(project, "-q -t app .");
    expect(await tsbuild(project, "run app")).toEqual({ code: 0, stdout: "hello 1\n", stderr: "" });
    const words = ["run", "--rm", "-e", "A=2", "app", "sh", "-c", "echo $A; echo err >&2; exit 7"];
    expect(await ended(start(project, words))).toEqual({ code: 7, stdout: "2\n", stderr: "err\n" });
    const input = await ended(start(project, ["run", "-i", "app", "cat"]), "typed");
    expect(input).toEqual({ code: 0, stdout: "typed", stderr: "" });
  });

  it("ends with 127, 126, 125 and 128 + signal as docker does", async () => {
    using project = new Project({ Dockerfile: `${fromBusybox}COPY plain /plain\n`, plain: "x" });
    await tsbuild(project, "-q -t app .");
    expect((await tsbuild(project, "run app nosuch")).code).toBe(127);
    expect((await tsbuild(project, "run app /plain")).code).toBe(126);
    expect((await tsbuild(project, "run --pull=never nosuch")).code).toBe(125);
    expect((await ended(start(project, ["run", "--init", "app", "sh", "-c", "kill -9 $$"]))).code).toBe(137);
  });

  it("forwards signals to the program, which decides what they mean", async () => {
    using project = new Project({ Dockerfile: fromBusybox });
    await tsbuild(project, "-q -t app .");
    const script = "trap 'echo got; exit 9' TERM; echo ready; while :; do sleep 0.05; done";
    const child = start(project, ["run", "app", "sh", "-c", script]);
    child.stdout?.once("data", () => child.kill("SIGTERM"));
    expect(await ended(child)).toEqual({ code: 9, stdout: "ready\ngot\n", stderr: "" });
  });
});

describe("tsbuild run in a pipeline", () => {
  it("ends when its reader is gone, and gives all of a big input back", async () => {
    using project = new Project({ Dockerfile: fromBusybox });
    await tsbuild(project, "-q -t app .");
    const shell = (line: string): Promise<Ended> =>
      ended(spawn("bash", ["-c", line], { cwd: project.directory, env: environmentOf(project) }));
    const first = await shell(`set -o pipefail; ${launcher} run app busybox yes | head -1`);
    expect([first.code, first.stdout]).toEqual([1, "y\n"]);
    const sum = "sha256sum | cut -d' ' -f1";
    const zeros = "head -c 200000000 /dev/zero";
    const both = await shell(`${zeros} | ${sum}; ${zeros} | ${launcher} run -i app cat | ${sum}`);
    expect(new Set(both.stdout.trim().split("\n")).size).toBe(1);
    expect(both.stdout.trim().split("\n")).toHaveLength(2);
  });

  it("makes the command PID 1, an init with --init, and kills it when it is asked for the third time", async () => {
    using project = new Project({ Dockerfile: fromBusybox });
    await tsbuild(project, "-q -t app .");
    expect((await tsbuild(project, "run app cat /proc/self/stat")).stdout).toMatch(/^1 /);
    expect((await tsbuild(project, "run --init app cat /proc/self/stat")).stdout).toMatch(/^2 /);
    const child = start(project, ["run", "app", "sh", "-c", "echo ready; exec sleep 1000"]);
    let asking: NodeJS.Timeout | undefined;
    child.stdout?.once("data", () => {
      asking = setInterval(() => child.kill("SIGTERM"), 50);
    });
    expect((await ended(child)).code).toBe(137);
    clearInterval(asking);
  });
});

describe("tsbuild run --cap-add", () => {
  it("ALL gives what there is; a capability that is not there is refused by name", async () => {
    using project = new Project({ Dockerfile: fromBusybox });
    await tsbuild(project, "-q -t app .");
    const own = /^CapPrm:\s+([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
    expect((await tsbuild(project, "run --cap-add ALL app grep CapEff /proc/self/status")).stdout).toBe(
      `CapEff:\t${own}\n`,
    );
    const missing = capabilityNames.find((_, bit) => ((BigInt(`0x${own}`) >> BigInt(bit)) & 1n) === 0n);
    if (missing === undefined) return;
    const refused = await tsbuild(project, `run --cap-add ${missing} app true`);
    expect([refused.code, refused.stderr]).toEqual([
      125,
      expect.stringContaining(`Cannot grant ${missing}: this process`),
    ]);
  });
});

describe("tsbuild run with a mistake", () => {
  it.each<readonly [string, number, string, string]>([
    ["run app nosuch", 127, "E_EXEC_NOT_FOUND", "PATH of the image: /usr/local/sbin"],
    ["run app slep 1", 127, "E_EXEC_NOT_FOUND", "help: did you mean sleep?"],
    ["run app -it sh", 127, "E_EXEC_NOT_FOUND", "help: flags stand before the image: tsbuild run -it IMAGE"],
    ["run app /bin/nosuch", 127, "E_EXEC_NOT_FOUND", "help: the image has no such file"],
    ["run app /script", 127, "E_EXEC_NOT_FOUND", "help: it is there, and the interpreter"],
    ["run app /etc", 126, "E_EXEC_DENIED", "help: it is a directory"],
    ["run app /etc/passwd", 126, "E_EXEC_DENIED", "help: make it executable"],
    ["run -w /etc/passwd app true", 125, "E_WORKDIR_INVALID", "help: a part of its path is a file"],
    ["run -w etc app true", 125, "E_WORKDIR_INVALID", "it is not an absolute path"],
    ["run -v /no/such:/x app true", 125, "E_VOLUME_INVALID", "help: make it first: mkdir -p /no/such"],
    [`run -h ${"h".repeat(65)} app true`, 125, "E_RUNTIME_SETUP", "help: a host name has at most 64 bytes"],
    ["run --cap-add NOSUCH app true", 125, "E_CAPABILITY_UNKNOWN", "help: "],
    ["run --name a app true", 2, "E_OPTION_NOT_IMPLEMENTED", "a container is gone when its command ends"],
    ["run --rm=false app true", 2, "E_OPTION_NOT_IMPLEMENTED", "help: keep what it writes with -v"],
    ["run --platform linux/s390x app true", 125, "E_PLATFORM_MISSING", "help: fetch the other one: tsbuild pull"],
    [
      "run --pull never --platform linux/s390x app true",
      125,
      "E_PLATFORM_MISSING",
      "or use this one: --platform linux/",
    ],
    ["run --env-file nosuch app true", 2, "E_USAGE", "Cannot read env file nosuch"],
    ["run --env-file odd app true", 2, "E_USAGE", "has a space in it"],
  ])("says so: %s", async (line, code, error, text) => {
    using project = new Project({ Dockerfile: `${fromBusybox}COPY --chmod=755 script /\n`, odd: "A B=1\n" });
    project.write("script", "#!/no/interpreter\n");
    await tsbuild(project, "-q -t app .");
    const failed = await tsbuild(project, line);
    expect([failed.code, failed.stdout]).toEqual([code, ""]);
    expect(failed.stderr).toContain(`error[${error}]`);
    expect(failed.stderr).toContain(text);
  });

  it("takes variables from --env-file, and no part of it for itself", async () => {
    using project = new Project({ Dockerfile: fromBusybox });
    await tsbuild(project, "-q -t app .");
    project.write("vars", "# comment\nTSBUILD_ROOT=/nowhere\nA=b c\nNOSUCH\n");
    const shown = await ended(
      start(project, ["run", "--env-file", "vars", "app", "sh", "-c", "echo $TSBUILD_ROOT $A"]),
    );
    expect(shown).toEqual({ code: 0, stdout: "/nowhere b c\n", stderr: "" });
  });
});

/** The command on a terminal of its own, made by script(1). */
async function onTerminal(project: Project, line: string, input = "", size = "cols 60 rows 20"): Promise<Ended> {
  const cache = resolve("node_modules/.cache");
  const env = {
    PATH: process.env["PATH"] ?? "",
    TERM: "xterm",
    TSBUILD_ROOT: project.store,
    TSBUILD_NETWORK: "host",
    XDG_CACHE_HOME: cache,
  };
  const child = spawn("script", ["-qec", `stty ${size}; ${launcher} ${line}`, "/dev/null"], {
    cwd: project.directory,
    env: { ...env, HOME: join(project.store, "..", "home") },
  });
  return await ended(child, input);
}

describe("on a terminal", () => {
  it("build draws frames no wider than it, gives the cursor back and tells what was built", async () => {
    using project = new Project({ Dockerfile: `${hello.replace("RUN", "RUN sleep 0.3;")}` });
    const { code, stdout } = await onTerminal(project, "-t app .");
    expect(code).toBe(0);
    expect(stdout).toMatch(/\[\+\] Building \d\.\ds \(\d\/\d\)/);
    expect(stdout).toContain("FINISHED");
    expect(stdout.lastIndexOf("\u001b[?25h")).toBeGreaterThan(stdout.lastIndexOf("\u001b[?25l"));
    const frames = stdout.slice(0, stdout.lastIndexOf("\u001b[?25h")).replace(/\u001b\[[0-9;?]*[A-Za-z]/g, "");
    expect(Math.max(...frames.split(/[\r\n]+/).map((text) => text.length))).toBeLessThanOrEqual(60);
    expect(stdout).toMatch(/built app:latest in/);
  });

  it("run -t gives the program a terminal of the same size, and its exit code", async () => {
    using project = new Project({ Dockerfile: fromBusybox });
    await tsbuild(project, "-q -t app .");
    const script = "test -t 0 && test -t 1 && echo terminal; stty size; exit 5";
    const { code, stdout } = await onTerminal(project, `run -t app sh -c '${script}'`);
    expect([code, stdout.replaceAll("\r", "")]).toEqual([5, "terminal\n20 60\n"]);
  });

  it("that has no size build and run assume the usual one", async () => {
    using project = new Project({ Dockerfile: `${hello.replace("RUN", "RUN sleep 0.3;")}` });
    const built = await onTerminal(project, "-t app .", "", "cols 0 rows 0");
    expect(built.stdout).toContain("[internal] load build definition from Dockerfile");
    const { stdout } = await onTerminal(project, "run -t app busybox stty size", "", "cols 0 rows 0");
    expect(stdout.trim()).toBe("24 80");
  });

  it("run -i reads what is typed, and -it needs a terminal", async () => {
    using project = new Project({ Dockerfile: fromBusybox });
    await tsbuild(project, "-q -t app .");
    const typed = await onTerminal(project, "run -it app sh -c 'read line; echo got $line'", "word\n");
    expect(typed.stdout).toMatch(/got word\r/);
    const piped = await tsbuild(project, "run -it app sh");
    expect([piped.code, piped.stderr]).toEqual([2, expect.stringContaining("E_NOT_A_TERMINAL")]);
  });
});

describe("the store's commands", () => {
  it("list, tag, inspect, show the history of, save, load and remove images", async () => {
    using project = new Project({ Dockerfile: hello });
    const id = (await tsbuild(project, "-q -t app .")).stdout.trim();
    expect((await tsbuild(project, "images")).stdout).toMatch(
      /^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE\napp +latest +[0-9a-f]{12} /,
    );
    expect((await tsbuild(project, "images -q --no-trunc")).stdout).toBe(`${id}\n`);
    expect((await tsbuild(project, "tag app team/app:2")).code).toBe(0);
    expect((await tsbuild(project, "images --format {{.Repository}}:{{.Tag}}")).stdout).toBe(
      "app:latest\nteam/app:2\n",
    );
    expect((await tsbuild(project, "inspect -f {{json.Config.Env}}{{.Id}} app")).code).toBe(2);
    const inspected: unknown = JSON.parse((await tsbuild(project, "inspect app")).stdout);
    expect(inspected).toMatchObject([{ Id: id, RepoTags: ["app:latest", "team/app:2"], Os: "linux" }]);
    expect((await tsbuild(project, "history --format {{.CreatedBy}} --no-trunc app")).stdout).toContain(
      "RUN /bin/sh -c echo building",
    );
    expect((await tsbuild(project, "save -o app.tar app")).code).toBe(0);
    expect((await tsbuild(project, "rmi app team/app:2")).stdout).toBe(
      `Untagged: app:latest\nUntagged: team/app:2\nDeleted: ${id}\n`,
    );
    expect((await tsbuild(project, "images -q")).stdout).toBe("");
    expect((await tsbuild(project, "load -i app.tar")).stdout).toBe("Loaded image: app:latest\n");
    expect((await tsbuild(project, "run app")).stdout).toBe("hello 1\n");
    const missing = await tsbuild(project, "rmi nosuch");
    expect([missing.code, missing.stdout]).toEqual([1, ""]);
    expect(missing.stderr).toContain("error[E_IMAGE_NOT_FOUND]");
  });
});

describe("an odd environment", () => {
  it.each([
    ["a home that cannot be", { HOME: "/proc/nope" }],
    ["a cache where nothing can be made", { XDG_CACHE_HOME: "/proc" }],
    ["no home", { HOME: "" }],
    ["an unknown terminal", { TERM: "" }],
  ])("with %s the command works", async (_, env) => {
    using project = new Project({ Dockerfile: "FROM scratch\nCOPY a /a\n", a: "" });
    expect(await tsbuild(project, "-q -t app .", env)).toMatchObject({ code: 0, stderr: "" });
  });

  it("says when the store or the directory is no place to work in", async () => {
    using project = new Project({});
    for (const root of ["/proc/nope", "/dev/null/x"]) {
      const refused = await tsbuild(project, "images", { TSBUILD_ROOT: root });
      expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("error[E_STORE_OPEN]")]);
    }
    const gone = await ended(
      spawn("sh", ["-c", 'mkdir gone && cd gone && rmdir ../gone && exec "$0" images 2>&1', launcher], {
        cwd: project.directory,
      }),
    );
    expect([gone.code, gone.stdout]).toEqual([
      2,
      expect.stringContaining("Cannot work in this directory: it was removed"),
    ]);
  });
});

describe("a umask that gives others nothing", () => {
  it("is in no layer, and keeps no user of a container from its files", async () => {
    const dockerfile = [
      "FROM scratch AS empty",
      `${fromBusybox}COPY dir /a/b/`,
      "COPY <<E /here",
      "text",
      "E",
      "WORKDIR /w/x",
      "RUN mkdir /made && echo x > /made/file",
      "USER 1000",
      "RUN --mount=type=bind,target=/m --mount=type=cache,target=/c,mode=0777 --mount=from=empty,target=/e \\",
      "  cat /m/dir/f /etc/hosts /etc/resolv.conf /here && ls / /e && echo x > /c/y",
      "COPY --from=empty . /",
    ].join("\n");
    using project = new Project({ Dockerfile: dockerfile, "dir/f": "f" });
    const env = { ...process.env, TSBUILD_ROOT: project.store, XDG_CACHE_HOME: resolve("node_modules/.cache") };
    const withMask = async (mask: string, line: string): Promise<Ended> =>
      await ended(spawn("sh", ["-c", `umask ${mask}; exec ${launcher} ${line}`], { cwd: project.directory, env }));
    const layers = async (mask: string): Promise<string> => {
      const built = await withMask(mask, `-q --no-cache --build-arg SOURCE_DATE_EPOCH=0 -t app${mask} .`);
      expect(built).toMatchObject({ code: 0, stderr: "" });
      return (await tsbuild(project, `inspect --query RootFS.Layers app${mask}`)).stdout;
    };
    const usual = await layers("022");
    expect(await layers("077")).toBe(usual);
    expect(await layers("000")).toBe(usual);
    const files = "/etc/hosts /etc/resolv.conf /etc/hostname";
    expect(await withMask("077", `run -u 1000 -h me app022 tail -n1 ${files}`)).toMatchObject({ code: 0, stderr: "" });
  });
});

describe("tsbuild run", () => {
  it("lets root change the files of names, as docker does", async () => {
    using project = new Project({ Dockerfile: fromBusybox });
    await tsbuild(project, "-q -t app .");
    const script = "echo 10.0.0.9 db >> /etc/hosts; echo >> /etc/resolv.conf; cat /etc/hostname; grep -c db /etc/hosts";
    for (const flags of ["", "--add-host gate:host-gateway "])
      expect(
        await ended(start(project, [..."run -h me ".concat(flags).trim().split(" "), "app", "sh", "-c", script])),
      ).toEqual({ code: 0, stdout: "me\n1\n", stderr: "" });
  });
});

describe("the launcher", () => {
  it("does not wait for a tsbuild.json that is a pipe", async () => {
    using project = new Project({});
    execFileSync("mkfifo", [join(project.directory, "tsbuild.json")]);
    const { code, stderr } = await tsbuild(project, "images");
    expect([code, stderr]).toEqual([2, expect.stringContaining("tsbuild.json is no file")]);
  });

  it("finds its Node through a symbolic link from elsewhere", async () => {
    using project = new Project({});
    const bin = mkdtempSync(join(tmpdir(), "tsbuild-bin-"));
    try {
      symlinkSync(launcher, join(bin, "tsbuild"));
      const child = spawn(join(bin, "tsbuild"), ["--version"], { cwd: project.directory });
      expect(await ended(child)).toMatchObject({ code: 0, stdout: expect.stringMatching(/^tsbuild \d+\.\d+\.\d+\n$/) });
    } finally {
      rmSync(bin, { recursive: true });
    }
  });
});
