import { generateKeyPairSync } from "node:crypto";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { tsbuild, tsbuildAnswering, tsbuildOnTerminal } from "../rig/command.ts";
import { Project, fromBusybox } from "../rig/project.ts";

const dockerfile = `${fromBusybox.replace("scratch", "scratch AS base")}ENV X=1
WORKDIR /w
RUN echo a > a
USER 5
ENV X=2
RUN echo b > /tmp/b
FROM base AS last
ARG GIVEN=default
ENV X=3
`;

/** What the state of a build is: its variable, directory, user and files. */
const state = "echo $X $(pwd) $(id -u) $(ls /w) $(ls /tmp)";

/** What a command left in the store and on the machine; `before`: snapshots that are allowed. */
function leftovers(store: string): readonly string[] {
  const names = (directory: string): readonly string[] =>
    existsSync(join(store, directory)) ? readdirSync(join(store, directory)) : [];
  const mounts = readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .filter((line) => line.includes(store));
  return [...mounts, ...names("leases")];
}

describe("tsbuild shell", () => {
  it.each([
    { at: ["--at", "5"], shows: "1 /w 0 a", where: "after line 5 (RUN) of stage base" },
    { at: ["--at", "5", "--before"], shows: "1 /w 0", where: "before line 5 (RUN) of stage base" },
    { at: ["--at", "3"], shows: "1 / 0", where: "after line 3 (ENV) of stage base" },
    { at: ["--at", "4"], shows: "1 /w 0", where: "after line 4 (WORKDIR) of stage base" },
    { at: ["--at", "8"], shows: "2 /w 5 a b", where: "after line 8 (RUN) of stage base" },
    { at: ["--at", "8", "--before"], shows: "2 /w 5 a", where: "before line 8 (RUN) of stage base" },
    { at: ["--at", "base"], shows: "2 /w 5 a b", where: "at the end of stage base" },
    { at: [], shows: "3 /w 5 a b", where: "at the end of stage last" },
    { at: ["--target", "base"], shows: "2 /w 5 a b", where: "at the end of stage base" },
  ])("at $at is $where", async ({ at, shows, where }) => {
    using project = new Project({ Dockerfile: dockerfile });
    const { code, stdout, stderr } = await tsbuild(project, ["shell", ...at, "."], `${state}; exit 7\n`);
    expect([stdout, code]).toEqual([`${shows}\n`, 7]);
    expect(stderr).toContain(`shell ${where} (nothing that it writes is kept)\n`);
    expect(leftovers(project.store)).toEqual([]);
  });

  it("takes --build-arg, runs a command in place of a shell, and gives its exit code", async () => {
    using project = new Project({ Dockerfile: dockerfile });
    const words = ["shell", "--progress=quiet", "--build-arg", "GIVEN=mine", "."];
    expect(await tsbuild(project, [...words, "sh", "-c", "echo $GIVEN; exit 3"])).toMatchObject({
      code: 3,
      stdout: "mine\n",
    });
    expect(await tsbuild(project, [...words, "/missing"])).toMatchObject({ code: 1, stdout: "" });
  });

  it("keeps nothing of what it writes, and the steps below it", async () => {
    using project = new Project({ Dockerfile: dockerfile });
    await tsbuild(project, ["shell", "."], "echo x > /tmp/written\n");
    expect((await tsbuild(project, ["shell", "."], "ls /tmp\n")).stdout).toBe("b\n");
    expect((await tsbuild(project, ["build", "."])).stderr).toContain("cache: 4/4 hits");
  });

  it("opens at the failed step of the last build", async () => {
    using project = new Project({ Dockerfile: `${fromBusybox}ENV X=4\nRUN echo c > /c; exit 1\n` });
    const early = await tsbuild(project, ["shell", "--at", "failed", "."]);
    expect(early).toMatchObject({ code: 2, stderr: expect.stringContaining("the last build of . has none") });
    await tsbuild(project, ["build", "."]);
    const opened = await tsbuild(project, ["shell", "--at", "failed", "."], "echo $X; ls -d /c\n");
    expect(opened).toMatchObject({ stdout: "4\n" });
    expect(opened.stderr).toContain("shell before line 4 (RUN) of stage stage-0");
  });

  it.each([
    { what: "a line behind the end", at: "99", code: "E_SHELL_PLACE" },
    { what: "a line before the first stage", at: "1", code: "E_SHELL_PLACE" },
    { what: "an unknown stage", at: "other", code: "E_SHELL_PLACE" },
    { what: "an image without a shell", at: "3", code: "E_SHELL_NOT_FOUND" },
  ])("refuses $what", async ({ at, code }) => {
    using project = new Project({ Dockerfile: "ARG A\nFROM scratch AS one\nCOPY file /\n", file: "" });
    const { stderr, ...ended } = await tsbuild(project, ["shell", "--at", at, "."]);
    expect(ended).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain(`error[${code}]`);
    expect(leftovers(project.store)).toEqual([]);
  });

  it("has a terminal where there is one", async () => {
    using project = new Project({ Dockerfile: dockerfile });
    const { code, stdout } = await tsbuildOnTerminal(
      project,
      ["shell", "--progress=quiet", ".", "sh", "-c", "test -t 0 && test -t 1 && echo $TERM; exit 4"],
      "",
    );
    // What types for the test may type a NUL at its end, which the terminal shows.
    expect([code, stdout]).toEqual([4, expect.stringMatching(/^(?:\^@)?xterm\s*$/m)]);
  });
});

describe("a shell on a terminal", () => {
  const mounts = [
    "type=secret,id=tok",
    "type=secret,id=tok,env=TOKEN",
    "type=ssh",
    "type=cache,target=/c",
    "type=bind,target=/ctx",
    "type=tmpfs,target=/t",
  ];
  const flags = ["--secret", "id=tok,src=tok", "--ssh", "default=key", "."];
  const checks = [
    "test -t 0",
    'test "$TOKEN" = s3cr3t-value',
    'test "$(cat /run/secrets/tok)" = "$(cat /ctx/tok)"',
    "test -S $SSH_AUTH_SOCK",
    "grep -q ' /t tmpfs' /proc/mounts",
    // What the step wrote into its cache is there, and its own file as far as it came.
    "test -s /c/kept",
  ];

  function failing(): Project {
    const project = new Project({ tok: "s3cr3t-value" });
    const { privateKey } = generateKeyPairSync("ed25519");
    project.write("key", privateKey.export({ type: "pkcs8", format: "pem" }).toString());
    const flagsOfRun = mounts.map((mount) => `--mount=${mount}`).join(" ");
    project.write("Dockerfile", `${fromBusybox}RUN ${flagsOfRun} echo x > /c/kept; echo y > /half; exit 1\n`);
    return project;
  }

  it.each([
    { words: ["build", "--shell-on-fail"], own: "test -s /half" },
    { words: ["shell", "--at", "failed"], own: "test ! -e /half" },
  ])("has the mounts, secrets and agent of the step: $words", async ({ words, own }) => {
    using project = failing();
    if (words[0] === "shell") expect((await tsbuild(project, ["build", ...flags])).code).toBe(1);
    // The sum tells what the shell says from what is typed.
    const line = `${[...checks, own].join(" && ")} && echo all $((40 + 2)); exit\n`;
    const { stdout } = await tsbuildAnswering(project, [...words, ...flags], [["/ # ", line]]);
    expect(stdout).toContain("all 42");
    expect(leftovers(project.store)).toEqual([]);
  });

  it("does not share standard input with a context", async () => {
    using project = new Project({ Dockerfile: dockerfile });
    for (const words of [["-"], ["-f", "-", "."], ["--build-context", "x=-", "."]]) {
      const { code, stderr } = await tsbuild(project, ["shell", ...words]);
      expect([code, stderr]).toEqual([2, expect.stringContaining("the shell reads it")]);
    }
  });
});

describe("tsbuild build --shell-on-fail", () => {
  it("opens a shell in the state that the failed step left, and ends as the build does", async () => {
    using project = new Project({ Dockerfile: `${fromBusybox}ENV X=5\nWORKDIR /w\nRUN echo half > left; exit 6\n` });
    const words = ["build", "--shell-on-fail", "--progress=plain", "."];
    const ended = await tsbuild(project, words, "cat left; echo $X; echo more > left; exit 9\n");
    expect(ended).toMatchObject({ code: 1, stdout: "half\n5\n" });
    expect(ended.stderr).toMatch(/shell \[3\/3\] RUN .*: RUN exited with code 6 \(the build ends with it\)\n/);
    expect(ended.stderr).toContain("error[E_RUN_FAILED]: RUN exited with code 6");
    expect(leftovers(project.store)).toEqual([]);
    expect((await tsbuild(project, words, "cat left\n")).stdout).toBe("half\n");
  });

  it("opens one for a command that is not there, and none for a build that works", async () => {
    using project = new Project({ Dockerfile: `${fromBusybox}RUN ["/missing"]\n` });
    expect((await tsbuild(project, ["build", "--shell-on-fail", "."], "echo in\n")).stdout).toBe("in\n");
    project.write("Dockerfile", `${fromBusybox}RUN true\n`);
    expect(await tsbuild(project, ["build", "--shell-on-fail", "."], "echo in\n")).toMatchObject({
      code: 0,
      stdout: "",
    });
  });
});
