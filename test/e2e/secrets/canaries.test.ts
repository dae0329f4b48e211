import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createWriteStream, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Canaries } from "../../rig/canaries.ts";
import { makeKey, opensshPem } from "../../rig/openssh-key.ts";
import { fromBusybox, Project } from "../../rig/project.ts";
import { TestRegistry } from "../../rig/registry.ts";
import { UrlServer } from "../../rig/url-server.ts";

const random = (name: string): string => `${name}-${randomBytes(12).toString("hex")}`;
const values = {
  file: `${random("file")}\n${random("second-line")}\n`,
  env: random("env"),
  registry: random("registry"),
  wrong: random("wrong"),
  url: random("url"),
  token: random("token"),
  host: random("host"),
  proxy: random("proxy"),
};
const key = makeKey("ed25519");
const pem = opensshPem(key);
const seed = Buffer.from(key.export({ format: "jwk" }).d ?? "", "base64url");
const secretLines = pem
  .split("\n")
  .slice(3, -3)
  .map((line) => Buffer.from(line));
const canaries = new Canaries({
  file: values.file
    .trim()
    .split("\n")
    .map((line) => Buffer.from(line)),
  ...Object.fromEntries(
    Object.entries(values)
      .slice(1)
      .map(([name, value]) => [name, Buffer.from(value)]),
  ),
  ssh: [seed, ...secretLines],
});

const modes = ["plain", "rawjson", "quiet", "tty"] as const;
/** How a build ends: by itself, or by a signal while its step runs. */
const ends = ["done", "fail", "SIGKILL", "SIGINT", "SIGTERM"] as const;

/** A shell that gives it a terminal says of a signal what shells do. */
const exits: Readonly<Record<(typeof ends)[number], readonly unknown[]>> = {
  done: [0],
  fail: [1],
  SIGKILL: ["SIGKILL", 137],
  SIGINT: [130],
  SIGTERM: [143],
};

interface Case {
  readonly number: number;
  readonly mode: (typeof modes)[number];
  readonly end: (typeof ends)[number];
  readonly debug: boolean;
  readonly words: readonly string[];
}

const dockerfile = (server: UrlServer): string => `${fromBusybox}
ARG N
ARG END
RUN --mount=type=secret,id=file,target=/s/file --mount=type=secret,id=env,env=TOKEN --mount=type=ssh,required \\
  --mount=type=cache,target=/meet \\
  set -x; cat /s/file; echo "$TOKEN"; printf %s "user:$TOKEN" | busybox base64; printf %s "$TOKEN" > /dev/shm/x; \\
  test -S $SSH_AUTH_SOCK && touch /meet/ready-$N; echo "$N" > /n; \\
  case $END in done) true;; fail) echo "failed with $TOKEN" >&2; exit 3;; *) exec sh -c 'sleep 1000; true' "$TOKEN";; esac
ADD http://user:${values.url}@${server.host}/file /file
ADD http://${server.host.replace("127.0.0.1", "localhost")}/token /token
RUN test ! -e /s && test -z "$TOKEN$OF_HOST" && test -n "$FTP_PROXY"
`;

describe("secrets of builds that end in every way", () => {
  let project: Project;
  let registry: TestRegistry;
  let server: UrlServer;
  let top: string;
  const running: string[] = [];

  beforeAll(async () => {
    [registry, server] = await Promise.all([TestRegistry.start(), UrlServer.start()]);
    registry.faults.auth = { scheme: "bearer", user: "user", password: values.registry };
    server.file("/file", "file");
    server.on("/token", ({ headers }, response) =>
      headers.authorization === `Bearer ${values.token}` ? response.end("token") : response.writeHead(401).end(),
    );
    project = new Project({ Dockerfile: dockerfile(server) });
    top = join(project.store, "..");
    // What belongs to the user, who has the secrets in it.
    for (const name of ["own", "home", "temp", "results"]) mkdirSync(join(top, name));
    writeFileSync(join(top, "own/secret"), values.file);
    writeFileSync(join(top, "own/key"), pem);
    for (const name of ["registry", "wrong"] as const) {
      mkdirSync(join(top, "own", name));
      const auth = Buffer.from(`user:${values[name]}`).toString("base64");
      writeFileSync(join(top, "own", name, "config.json"), JSON.stringify({ auths: { [registry.host]: { auth } } }));
    }
  });

  afterAll(async () => {
    project[Symbol.dispose]();
    await registry[Symbol.asyncDispose]();
    await server.stop();
  });

  /** Starts a command line; all that it says goes to a file. */
  function start(
    words: readonly string[],
    options: { readonly name: string; readonly tty?: boolean; readonly docker?: string },
  ): ChildProcess {
    const command = [resolve("builder/cli/tsbuild"), ...words];
    const line = command.map((word) => `'${word}'`).join(" ");
    const [program = "", ...args] =
      options.tty === true ? ["/usr/bin/script", "-qec", `exec ${line}`, "/dev/null"] : command;
    const env = {
      PATH: process.env["PATH"] ?? "",
      HOME: join(top, "home"),
      TMPDIR: join(top, "temp"),
      XDG_CACHE_HOME: resolve("node_modules/.cache"),
      DOCKER_CONFIG: join(top, "own", options.docker ?? "registry"),
      TERM: "xterm",
      CANARY: values.env,
      TOKEN_OF_SERVER: values.token,
      OF_HOST: values.host,
      FTP_PROXY: `http://user:${values.proxy}@proxy.invalid:3128`,
    };
    const child = spawn(program, args, { cwd: project.directory, env });
    const file = createWriteStream(join(top, "results", options.name));
    child.stdout.pipe(file, { end: false });
    child.stderr.pipe(file, { end: false });
    child.on("close", () => file.end());
    return child;
  }

  function wordsOf({ number, mode, end, debug, words }: Case): readonly string[] {
    const given = `--root ${project.store} --progress ${mode} --build-arg N=${number} --build-arg END=${end} \
      --secret id=file,src=../own/secret --secret id=env,env=CANARY --ssh default=../own/key \
      --secret id=HTTP_AUTH_TOKEN_localhost,env=TOKEN_OF_SERVER \
      --metadata-file ../results/metadata-${number} --iidfile ../results/iid-${number}`;
    const name = words.includes("-t") ? [] : ["-t", `app:${number}`];
    return [...given.split(/[\s\\]+/), ...(debug ? ["--debug"] : []), ...name, ...words, "."];
  }

  /** Until the step says that it has its secrets. */
  async function ready(number: number): Promise<void> {
    const mounts = join(project.store, "mounts");
    const here = (): boolean =>
      existsSync(mounts) &&
      readdirSync(mounts, { recursive: true, encoding: "utf8" }).some((path) => path.endsWith(`/ready-${number}`));
    while (!here()) await new Promise((done) => setTimeout(done, 20));
  }

  async function run(one: Case): Promise<{ readonly code: unknown; readonly signal: unknown }> {
    const options = {
      name: `build-${one.number}`,
      tty: one.mode === "tty",
      docker: one.words.includes("wrong") ? "wrong" : "registry",
    };
    const child = start(wordsOf({ ...one, words: one.words.filter((word) => word !== "wrong") }), options);
    const ended = once(child, "close");
    if (one.end.startsWith("SIG")) {
      await Promise.race([ready(one.number), ended]);
      running.push(...canaries.inProcesses());
      for (const pid of one.mode === "tty" ? childrenOf(child.pid) : [child.pid ?? 0]) send(pid, one.end);
    }
    const [code, signal] = await ended;
    return { code, signal };
  }

  it("are in no file, no output and no process but where who builds has put them", { timeout: 240_000 }, async () => {
    const cases: Case[] = modes.flatMap((mode) =>
      ends.flatMap((end) => [true, false].map((debug) => ({ number: 0, mode, end, debug, words: [] }))),
    );
    const image = `${registry.host}/team/app:1`;
    for (const mode of modes) {
      for (const debug of [true, false]) {
        cases.push({ number: 0, mode, end: "done", debug, words: ["-t", image, "--push"] });
        cases.push({ number: 0, mode, end: "done", debug, words: ["-t", image, "--push", "wrong"] });
      }
    }
    const numbered = cases.map((one, at) => ({ ...one, number: at + 1 }));
    expect(numbered.length).toBeGreaterThanOrEqual(50);
    // With what it said, where a build ended in another way than it should.
    const unexpected: unknown[] = [];
    const queue = numbered.values();
    const work = async (): Promise<void> => {
      for (const one of queue) {
        const { code, signal } = await run(one);
        const kind = one.words.includes("wrong") ? "fail" : one.end;
        if (exits[kind].includes(code ?? signal)) continue;
        unexpected.push({
          kind,
          code,
          said: readFileSync(join(top, "results", `build-${one.number}`), "utf8").slice(-2000),
        });
      }
    };
    await Promise.all([work(), work(), work()]);
    expect(unexpected).toEqual([]);
    const last = String(numbered.findLast(({ end, words }) => end === "done" && words.length === 0)?.number);
    const shown: readonly (readonly string[])[] = [
      ["history", "--no-trunc", `app:${last}`],
      ["inspect", `app:${last}`],
      ["images", "--format", "json"],
      ["why", "--format", "json"],
      ["logs"],
      ["save", "-o", join(top, "results/docker.tar"), `app:${last}`],
      ["save", "--format", "oci", "-o", join(top, "results/oci.tar"), `app:${last}`],
      ["run", `app:${last}`, "busybox", "env"],
    ];
    for (const [at, words] of shown.entries()) {
      const [code] = await once(start(["--root", project.store, ...words], { name: `shown-${at}` }), "close");
      expect([words[0], code]).toEqual([words[0], 0]);
    }
    for (const docker of ["wrong", "registry"] as const) {
      const words = ["--root", project.store, "pull", "--debug", image];
      const [code] = await once(start(words, { name: `pull-${docker}`, docker }), "close");
      expect([docker, code]).toEqual([docker, docker === "wrong" ? 1 : 0]);
    }
    expect([...registry.blobs.values()].flatMap((blob) => canaries.in(blob))).toEqual([]);
    const places = ["store", "home", "temp", "results"].flatMap((name) => canaries.below(join(top, name)));
    expect(places).toEqual([]);
    // Who builds gave some of them in the environment of the command itself; nobody else has them.
    const others = running.filter(
      (line) => !(line.includes(project.store) && / environ: (?:env|token|host|proxy)$/.test(line)),
    );
    expect(others).toEqual([]);
    expect(running.some((line) => line.endsWith("environ: env"))).toBe(true);
    expect(readdirSync(join(top, "temp"))).toEqual([]);
  });

  it("would be found: in a layer, in an argument", async () => {
    using leaking = new Project({
      Dockerfile: `${fromBusybox}RUN --mount=type=secret,id=env,env=TOKEN echo "$TOKEN" > /leak && printf %s "$TOKEN" | sed 's/./& /g'\n`,
    });
    const { result } = await leaking.build({ secrets: { env: () => values.env } });
    expect(result).toBeDefined();
    expect(canaries.below(leaking.store)).toEqual([expect.stringMatching(/\/leak: env$/)]);
    const child = spawn(process.execPath, ["-e", "setInterval(() => 0, 1e6)", values.url]);
    await once(child, "spawn");
    expect(canaries.inProcesses().filter((line) => line.endsWith("cmdline: url"))).toHaveLength(1);
    child.kill();
  });
});

/** What has ended by itself is told by its exit code. */
function send(pid: number, signal: string): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}

/** The command below the program that gives it a terminal. */
function childrenOf(parent: number | undefined): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => parentOf(pid) === parent);
}

function parentOf(pid: number): number {
  try {
    return Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
  } catch {
    return 0;
  }
}
