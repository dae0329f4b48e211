import { describe, expect, it } from "vitest";
import { buildRequest } from "../../../builder/cli/commands/build-request.ts";
import type { Invocation } from "../../../builder/cli/flags/command.ts";
import { readConfig } from "../../../builder/cli/config/config.ts";
import { Interrupts } from "../../../builder/cli/terminal/interrupts.ts";
import { table } from "../../../builder/cli/commands/table.ts";
import { parseLine } from "../../../builder/cli/flags/parse.ts";
import { progressMode } from "../../../builder/cli/progress/view.ts";
import { runRequest } from "../../../builder/cli/commands/run/request.ts";

function invoke(name: string, line: string, env: Readonly<Record<string, string>> = {}): Invocation {
  using interrupts = new Interrupts();
  const command = table.named(name);
  const { flags, operands } = parseLine(command, line.split(" "));
  const world = {
    env,
    uid: 0,
    home: "/root",
    cwd: "/src",
    stderrIsTerminal: false,
    readFile: (): undefined => undefined,
    breach: (): undefined => undefined,
  };
  const out = { result: (): void => undefined, notice: (): void => undefined, control: (): void => undefined };
  const { signal } = interrupts;
  return {
    command,
    commands: [],
    flags,
    operands,
    config: readConfig(world),
    out,
    signal,
    interrupts,
    warn: () => undefined,
  };
}
const build = (
  line: string,
  env?: Readonly<Record<string, string>>,
  terminal = false,
): ReturnType<typeof buildRequest> => buildRequest(invoke("build", line, env), terminal);
const run = (line: string, env?: Readonly<Record<string, string>>): ReturnType<typeof runRequest> =>
  runRequest(invoke("run", line, env));

describe("runRequest()", () => {
  it("reads docker's flags for limits", () => {
    const line =
      "--memory-swap -1 -c 512 --cpu-period 10000 --cpu-quota 5000 --cpuset-cpus 0-1 --cpuset-mems 0 --pids-limit 9 app";
    expect(run(line).resources).toEqual({
      memorySwap: -1,
      cpuShares: 512,
      cpuPeriod: 10_000,
      cpuQuota: 5000,
      cpusetCpus: "0-1",
      cpusetMems: "0",
      pids: 9,
    });
    expect(run("--pids-limit -1 app").resources).toEqual({});
    for (const words of [
      "--pids-limit x",
      "--cpu-quota 1",
      "--cpuset-cpus a",
      "--memory-swap -2",
      "--cpus 1 --cpu-period 5000",
    ])
      expect(() => run(`${words} app`)).toThrow(/cannot|Cannot/);
  });
});

describe("buildRequest()", () => {
  it("takes a build argument without value from the environment and leaves out one that is not set", () => {
    const request = build("--build-arg A --build-arg B=x=y --build-arg C .", { A: "1" });
    expect(request.buildArgs).toEqual({ A: "1", B: "x=y" });
  });

  it("joins mirrors of flags and environment, flags first", () => {
    const env = { TSBUILD_REGISTRY_MIRROR: "docker.io=http://env,ghcr.io=http://g" };
    const request = build("--registry-mirror docker.io=http://127.0.0.1:5000 --insecure-registry r:80 .", env);
    expect(request.registry?.mirrors).toEqual({ "docker.io": ["http://127.0.0.1:5000"], "ghcr.io": ["http://g"] });
    expect(request.registry?.insecure).toEqual(["r:80"]);
  });

  it("reads SOURCE_DATE_EPOCH of the environment unless a build argument has it", () => {
    expect(build(".", { SOURCE_DATE_EPOCH: "1700000000" }).sourceDateEpoch).toBe(1_700_000_000);
    expect(build("--build-arg SOURCE_DATE_EPOCH=5 .", { SOURCE_DATE_EPOCH: "7" }).sourceDateEpoch).toBeUndefined();
    // What is no number may be the name of a stage.
    for (const name of ["context", "source"]) {
      const named = build(".", { SOURCE_DATE_EPOCH: name });
      expect(named).toMatchObject({ buildArgs: { SOURCE_DATE_EPOCH: name } });
      expect(named.sourceDateEpoch).toBeUndefined();
    }
    expect(build(".", { SOURCE_DATE_EPOCH: "" })).toMatchObject({ buildArgs: {} });
  });

  it.each([
    ["--no-cache .", true],
    ["--no-cache-filter a,b --no-cache-filter c .", ["a", "b", "c"]],
    [".", false],
  ])("%s", (line, noCache) => {
    expect(build(line).noCache).toEqual(noCache);
  });

  it.each([
    ["--squash .", "new"],
    ["--squash=new .", "new"],
    ["--squash=all .", "all"],
    ["--squash=stage .", "stage"],
    ["--squash=true .", "new"],
    ["--squash=false .", undefined],
    [".", undefined],
  ])("reads %s", (line, squash) => {
    expect(build(line).squash).toBe(squash);
  });

  it.each([
    ["--check-own .", true],
    ["--check-own=true .", true],
    ["--check-own=false .", false],
    ["--check-own=error .", "error"],
    [".", undefined],
  ])("reads %s", (line, ownChecks) => {
    expect(build(line).ownChecks).toBe(ownChecks);
  });

  it.each([
    ["--max-parallelism 3 .", 3],
    ["--jobs=1 .", 1],
    ["--jobs 0 .", 0],
    [".", undefined],
  ])("reads %s", (line, steps) => {
    expect(build(line).maxParallelism).toBe(steps);
  });

  it.each([
    ["--jobs many .", /not a number of steps/],
    ["--max-parallelism -1 .", /not a number of steps/],
    ["--no-cache --no-cache-filter a .", /--no-cache together with --no-cache-filter/],
    ["--squash=some .", /squash/],
  ])("refuses %s", (line, message) => {
    expect(() => build(line)).toThrow(message);
  });

  it.each([
    ["-o out .", [{ type: "local", dest: "out" }]],
    ["-o - .", [{ type: "tar", dest: "-" }]],
    ["-o type=oci,dest=a.tar .", [{ type: "oci", dest: "a.tar", tar: true }]],
    ["-o type=oci,dest=d,tar=false .", [{ type: "oci", dest: "d", tar: false }]],
    ["-o type=docker .", [{ type: "image" }]],
    ["-o type=docker,dest=- .", [{ type: "docker", dest: "-", tar: true }]],
    ['-o type=image,"name=a,b",push=true .', [{ type: "image", names: ["a", "b"], push: true }]],
    ["-o type=registry,name=r:5000/a .", [{ type: "image", names: ["r:5000/a"], push: true }]],
    ["-o type=cacheonly .", [{ type: "cacheonly" }]],
    ["--push -t a .", [{ type: "image", push: true }]],
    ["--load -o out .", [{ type: "local", dest: "out" }, { type: "image" }]],
    [".", undefined],
  ])("reads the outputs of %s", (line, outputs) => {
    expect(build(line).outputs).toEqual(outputs);
  });

  it.each([
    ["-o type=oci,compression=zstd .", /attribute compression of type=oci is not implemented/],
    ["-o type=nosuch .", /is none of image/],
    ["-o dest=x .", /there is no type/],
    ["-o type=local .", /needs dest=DIR/],
    ["--push -o out .", /image output only/],
    ['-o type=image,"name=a .', /broken quote/],
    ["--platform linux/amd64,linux/arm64 .", /several platforms is not implemented/],
    ["--registry-mirror docker.io .", /is not HOST=URL/],
    ["--label =x .", /needs a name/],
  ])("refuses %s", (line, message) => {
    expect(() => build(line)).toThrow(message);
  });

  it.each(["https://example.com/x.tar.gz", "https://example.com/x.git#v1:dir", "git@example.com:x", "github.com/a/b"])(
    "takes %s as the context",
    (context) => expect(build(context).context).toBe(context),
  );

  it("does not write an archive to a terminal", () => {
    expect(() => build("-o - .", {}, true)).toThrow(/to the terminal/);
  });
});

describe("runRequest()", () => {
  it("reads image, command, environment, volumes and limits", () => {
    const request = run("-it -e A -e B=2 -e C -v ./d:/d:ro -v /x:/y -m 512m --cpus 1.5 -u app -w /w img sh -c x", {
      A: "1",
    });
    expect(request).toMatchObject({
      image: "img",
      command: ["sh", "-c", "x"],
      interactive: true,
      tty: true,
      env: ["A=1", "B=2"],
      volumes: ["/src/d:/d:ro", "/x:/y"],
      memory: 512 << 20,
      cpus: 1.5,
      user: "app",
      workdir: "/w",
    });
  });

  it("takes labels of SELinux on volumes, which are not written, and --net for --network", () => {
    const words = ["-v /x:/y:z img", "-v /x:/y:Z,ro img", "-v /x:/y:rw,z img", "-v /x:/y: img"];
    expect(words.map((line) => run(line).volumes)).toEqual([["/x:/y"], ["/x:/y:ro"], ["/x:/y:rw"], ["/x:/y"]]);
    expect(run("--net none img").network).toBe(run("--network none img").network);
  });

  it("clears the entrypoint when it is empty", () => {
    expect(run("--entrypoint= img").entrypoint).toEqual([]);
    expect(run("--entrypoint sh img").entrypoint).toEqual(["sh"]);
    expect(run("img").entrypoint).toBeUndefined();
  });

  it.each([
    ["-v data:/d img", /Named volumes are not implemented/],
    ["-v /a:b img", /is not SRC:DST/],
    ["-v /a:/b:U img", /option U is not implemented/],
    ["-m 1k img", /at least 6m/],
    ["--cpus many img", /a number above/],
    ["-e =x img", /needs a name/],
    ["--env-file /nosuch/file img", /Cannot read env file/],
  ])("refuses %s", (line, message) => {
    expect(() => run(line)).toThrow(message);
  });
});

describe("progressMode()", () => {
  const config = (env: Readonly<Record<string, string>>, terminal: boolean): Parameters<typeof progressMode>[2] =>
    readConfig({
      env,
      uid: 0,
      home: "/",
      cwd: "/",
      stderrIsTerminal: terminal,
      readFile: () => undefined,
      breach: () => undefined,
    });
  it.each([
    ["a terminal", undefined, {}, true, "tty"],
    ["a pipe", undefined, {}, false, "plain"],
    ["a terminal in CI", undefined, { CI: "true" }, true, "plain"],
    ["a dumb terminal", undefined, { TERM: "dumb" }, true, "plain"],
    ["BUILDKIT_PROGRESS", undefined, { BUILDKIT_PROGRESS: "rawjson" }, true, "rawjson"],
    ["the flag over the environment", "plain", { BUILDKIT_PROGRESS: "tty" }, true, "plain"],
    ["none", "none", {}, true, "quiet"],
  ])("with %s", (_, flag, env, terminal, mode) => {
    expect(progressMode(flag, false, config(env, terminal))).toBe(mode);
  });

  it("is quiet with -q whatever else is said", () => {
    expect(progressMode("plain", true, config({}, true))).toBe("quiet");
    expect(() => progressMode(undefined, false, config({ BUILDKIT_PROGRESS: "fancy" }, true))).toThrow(
      /BUILDKIT_PROGRESS cannot be "fancy"/,
    );
  });
});
