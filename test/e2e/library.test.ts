import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { PassThrough, Readable, Writable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import * as library from "../../builder/index.ts";
import { findControllers } from "../../runtime/cgroup/controllers.ts";
import { signalNumber } from "../../runtime/container/signal.ts";
import { openStore } from "../../store/index.ts";
import { tsbuild } from "../rig/command.ts";
import { fromBusybox, Project } from "../rig/project.ts";

/** As a program without types calls them. */
type Untyped = (options?: unknown) => unknown;
const calls: Readonly<Record<string, Untyped>> = {
  ...(library as unknown as Readonly<Record<string, Untyped>>),
  build: async (options) => await (library.build as unknown as (o: unknown) => library.Build)(options).result,
  openStore: openStore as unknown as Untyped,
};

describe("a library call", () => {
  it.each<[string, unknown, string]>([
    ["build", undefined, "it takes an object of options, not undefined"],
    ["build", ".", 'not "."'],
    ["build", { root: "/s" }, "the option context is missing"],
    ["build", { context: "." }, "the option root is missing"],
    ["build", { context: ".", root: 7 }, "the option root must be a string that is not empty, not 7"],
    ["build", { context: ".", root: "/s", tags: "app" }, 'the option tags must be an array of strings, not "app"'],
    ["build", { context: ".", root: "/s", buildArgs: ["A=1"] }, "buildArgs must be an object with strings"],
    ["build", { context: ".", root: "/s", tag: "app" }, 'unknown option "tag"'],
    ["build", { context: ".", root: "/s", pull: "often" }, "pull must be always, missing, never, newer"],
    ["build", { context: ".", root: "/s", onEvent: {} }, "onEvent must be a function"],
    ["build", { context: ".", root: "/s", signal: {} }, "signal must be an AbortSignal"],
    ["build", { context: "-", root: "/s", stdin: "FROM x" }, "stdin must be an async iterable of bytes"],
    ["check", { root: "/s" }, "Cannot call check(): the option context is missing"],
    ["outline", { root: "/s" }, "context is missing"],
    ["targets", { root: "/s" }, "context is missing"],
    ["run", { root: "/s" }, "Cannot call run(): the option image is missing"],
    ["run", { root: "/s", image: "a", command: "ls" }, "command must be an array of strings"],
    ["run", { root: "/s", image: "a", stdout: "x" }, "stdout must be a Writable"],
    ["run", { root: "/s", image: "a", tty: true, stdin: Readable.from([]) }, "streams do not go with the option tty"],
    ["startImage", { root: "/s" }, "image is missing"],
    ["pull", { root: "/s" }, "image is missing"],
    ["push", { image: "a" }, "root is missing"],
    ["images", {}, "root is missing"],
    ["importImage", { root: "/s" }, "archive is missing"],
    ["exportImage", { root: "/s", image: "a" }, "to is missing"],
    ["openStore", {}, "root is missing"],
  ])("%s() is refused what it cannot have, %#", async (name, options, message) => {
    const call = calls[name] ?? (() => undefined);
    const error: unknown = await Promise.resolve()
      .then(() => call(options))
      .then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
    expect(error).toBeInstanceOf(library.TsbuildError);
    expect(error).toMatchObject({ code: "E_ARGUMENT", message: expect.stringContaining(message) });
    expect(error).toMatchObject({ hint: expect.stringMatching(/its options are \{ |leave one of them out/) });
  });

  it("takes an option that is undefined for one that is not given", async () => {
    const options = { context: "/nowhere", root: "/s", tags: undefined, anything: undefined };
    await expect(Promise.resolve(calls["build"]?.(options))).rejects.toMatchObject({ code: "E_CONTEXT" });
  });
});

describe("signals", () => {
  it("are numbers, and names with or without SIG", () => {
    expect([15, "SIGTERM", "term", "SIGKILL", 64].map(signalNumber)).toEqual([15, 15, 15, 9, 64]);
    for (const none of [0, 65, 1.5, Number.NaN, "SIGNOPE", "", "15", "toString"])
      expect(() => signalNumber(none)).toThrow(expect.objectContaining({ code: "E_SIGNAL_INVALID" }));
  });
});

describe("a signal that a program does nothing about", () => {
  const programs: Readonly<Record<string, string>> = {
    build: `await using building = build({ root, context, cgroupParent, network: "none", noCache: true });
      for await (const event of building) if (event.kind === "log") console.log("ready");
      await building.result;`,
    run: `await run({ root, image: "app", cgroupParent, network: "none", stdout, command: ["sh", "-c", "echo ready; sleep 1000"] });`,
    startImage: `const running = await startImage({ root, image: "app", cgroupParent, network: "none", command: ["sleep", "1000"] });
      console.log("ready");
      await running.exitCode;`,
  };

  it.each(["build", "run", "startImage"])("ends it, and leaves nothing of %s()", async (name) => {
    using project = new Project({ Dockerfile: fromBusybox, D: `${fromBusybox}RUN echo ready; sleep 1000\n` });
    await tsbuild(project, ["-q", "-t", "app", "."]);
    const parent = `/tsbuild-test-${randomBytes(6).toString("hex")}`;
    const code = `
      import { build, run, startImage } from ${JSON.stringify(resolve("builder/index.ts"))};
      const [root, context, cgroupParent] = process.argv.slice(1);
      const { stdout } = process;
      ${programs[name]?.replace("context,", 'context, dockerfile: context + "/D",')}`;
    const child = spawn(
      process.execPath,
      ["--input-type=module-typescript", "-e", code, project.store, project.directory, parent],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    child.stdout.on("data", (data: Buffer) => data.includes("ready") && child.kill("SIGINT"));
    expect(await once(child, "close")).toEqual([null, "SIGINT"]);
    const { tops, unified } = findControllers();
    const groups = [...tops.values(), ...(unified === undefined ? [] : [unified.top])].map((top) => top + parent);
    const left = groups.filter((path) => existsSync(path));
    const inside = left.flatMap((path) =>
      readdirSync(path, { withFileTypes: true }).filter((one) => one.isDirectory()),
    );
    expect(inside.map((one) => one.name)).toEqual([]);
    // The kernel frees a group a little after its last process.
    await vi.waitFor(() => left.filter((path) => existsSync(path)).forEach((path) => rmdirSync(path)), 20_000);
    expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(project.store);
    expect(readdirSync(join(project.store, "leases"))).toEqual([]);
  });

  it("is left to a program that listens to it", async () => {
    const code = `
      import { beforeEnd } from ${JSON.stringify(resolve("native/process-end.ts"))};
      beforeEnd(async () => console.log("cleaned"));
      process.on("SIGTERM", () => { console.log("mine"); process.exit(3); });
      process.kill(process.pid, "SIGTERM");
      setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", code]);
    const [printed, [status]] = await Promise.all([buffer(child.stdout), once(child, "close")]);
    expect([printed.toString(), status]).toEqual(["mine\n", 3]);
  });
});

describe("streams of run()", () => {
  let project: Project;
  beforeAll(async () => {
    project = new Project({ Dockerfile: fromBusybox });
    await tsbuild(project, ["-q", "-t", "app", "."]);
  });
  afterAll(() => project[Symbol.dispose]());

  const shell = (script: string): { root: string; image: string; command: string[]; network: "none" } => ({
    root: project.store,
    image: "app",
    command: ["sh", "-c", script],
    network: "none",
  });

  it("carry all bytes of both outputs, and end", async () => {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const script = "head -c 3000000 /dev/zero; echo bad >&2; exit 4";
    const ended = library.run({ ...shell(script), stdout, stderr });
    const [out, err] = await Promise.all([buffer(stdout), buffer(stderr)]);
    expect([out.length, err.toString(), await ended]).toEqual([3_000_000, "bad\n", { exitCode: 4 }]);
  });

  it("carry what a program is given to read, to its end", async () => {
    const stdout = new PassThrough();
    const input = Buffer.alloc(2_000_000, "x");
    const ended = library.run({ ...shell("wc -c"), stdin: Readable.from([input, Buffer.from("y")]), stdout });
    expect([(await buffer(stdout)).toString().trim(), (await ended).exitCode]).toEqual(["2000001", 0]);
  });

  it("may be one for both outputs, and are left when the program does not read", async () => {
    const stdout = new PassThrough();
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) yield Buffer.alloc(1 << 16);
    }
    const ended = library.run({ ...shell("echo a; echo b >&2"), stdin: endless(), stdout, stderr: stdout });
    expect((await buffer(stdout)).toString().split("\n").toSorted()).toEqual(["", "a", "b"]);
    expect(await ended).toEqual({ exitCode: 0 });
  });

  it("gives on what its input failed with", async () => {
    async function* broken(): AsyncGenerator<string> {
      yield "a\n";
      throw new Error("no more");
    }
    const stdout = new PassThrough();
    const ended = library.run({ ...shell("cat"), stdin: broken(), stdout });
    expect((await buffer(stdout)).toString()).toMatch(/^(?:a\n)?$/);
    await expect(ended).rejects.toThrow("no more");
  });

  it("that fail are told of: the program is by its pipe", async () => {
    const stdout = new Writable({ write: (_chunk, _encoding, done) => done(new Error("full")) });
    const ended = library.run({
      ...shell("while echo a; do :; done"),
      stdout: stdout.on("error", () => 0),
    });
    await expect(ended).rejects.toMatchObject({ code: "E_OUTPUT_FILE", message: expect.stringContaining("full") });
  });
});
