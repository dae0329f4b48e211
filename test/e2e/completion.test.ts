import { spawn, type ChildProcess } from "node:child_process";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { tsbuild } from "../rig/command.ts";
import { Project } from "../rig/project.ts";

/** A bash on a terminal of its own, as a user has it, with tsbuild on its PATH. */
class Bash implements AsyncDisposable {
  readonly #child: ChildProcess;
  #shown = "";
  #read = 0;

  constructor(project: Project) {
    this.#child = spawn("script", ["-qec", "bash --norc --noprofile -i", "/dev/null"], {
      cwd: project.directory,
      env: {
        PATH: `${resolve("builder/cli")}:${process.env["PATH"] ?? ""}`,
        HOME: project.directory,
        XDG_CACHE_HOME: resolve("node_modules/.cache"),
        TSBUILD_ROOT: project.store,
        TERM: "dumb",
        PS1: "> ",
      },
    });
    this.#child.stdout?.on("data", (data: Buffer) => (this.#shown += data.toString()));
  }

  /** Types keys, and waits for what they make appear. */
  async type(keys: string, expected: string): Promise<void> {
    this.#child.stdin?.write(keys);
    while (!this.#shown.slice(this.#read).includes(expected)) {
      if (this.#child.exitCode !== null) throw new Error(this.#shown);
      await new Promise((next) => this.#child.stdout?.once("data", next));
    }
    this.#read = this.#shown.indexOf(expected, this.#read) + expected.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin?.end("\u0015exit\n");
    await new Promise((next) => this.#child.once("close", next));
  }
}

describe("completion in bash", () => {
  it("has commands, flags, stages and ARGs of the Dockerfile, images and files", async () => {
    using project = new Project({
      Dockerfile: "ARG VERSION=1\nFROM scratch AS base\nCOPY a /a\nFROM base AS final\nNOSUCH\n",
      Fine: "FROM scratch\nCOPY a /a\n",
      a: "x",
      "my dir/x": "",
    });
    for (const name of ["app", "team/app:2"]) await tsbuild(project, ["-q", "-f", "Fine", "-t", name, "."]);
    await using bash = new Bash(project);
    await bash.type("source <(tsbuild completion bash); echo rea''dy\n", "ready");
    const clear = "\u0015";
    await bash.type("tsbuild ima\t", "tsbuild images ");
    await bash.type(`${clear}tsbuild build --tar\t`, "--target ");
    await bash.type("fin\t", "final ");
    await bash.type(`${clear}tsbuild --target=ba\t`, "--target=base ");
    await bash.type(`${clear}tsbuild --build-arg VER\t`, "VERSION=");
    await bash.type(`${clear}tsbuild run te\t`, "team/app:2 ");
    await bash.type(`${clear}tsbuild rmi team/app:\t`, "team/app:2 ");
    await bash.type(`${clear}tsbuild --progress=raw\t`, "--progress=rawjson ");
    await bash.type(`${clear}tsbuild -t app my\t`, "my\\ dir/");
    await bash.type(`${clear}tsbuild -f Fi\t`, "Fine ");
    await bash.type(`${clear}tsbuild log\t\t`, "login");
  });

  it("does not put on the line what a Dockerfile wrote for the shell to run", async () => {
    using project = new Project({ Dockerfile: "ARG GOOD=1 $(touch${IFS}x)=1 a;b=2\nFROM scratch AS ok\n" });
    const asked = async (line: string): Promise<string> =>
      (await tsbuild(project, ["__complete", "bash", line, "=:"])).stdout;
    expect(await asked("tsbuild --build-arg ")).toBe("GOOD=\n:none\n");
    expect(await asked("tsbuild --target ")).toBe("ok\n:none\n");
  });

  it("says nothing, and makes no store, where there is none", async () => {
    using project = new Project({});
    const asked = await tsbuild(project, ["__complete", "bash", "tsbuild run ", "=:"]);
    expect(asked).toEqual({ code: 0, stdout: ":none\n", stderr: "" });
    expect((await tsbuild(project, ["completion", "tcsh"])).code).toBe(2);
  });
});
