import { spawn } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { build, type BuildEvent } from "../../builder/index.ts";
import { Project, fromBusybox, type Outcome } from "../rig/project.ts";

/** Names of the steps that ran, and of those that came from the cache. */
function steps(events: readonly BuildEvent[]): { readonly ran: readonly string[]; readonly cached: readonly string[] } {
  const names = new Map(
    events.flatMap((event) => (event.kind === "vertex" ? [[event.vertex.digest, event.vertex]] : [])),
  );
  const ended = (cached: boolean): readonly string[] =>
    events.flatMap((event) => {
      const vertex = event.kind === "completed" && event.cached === cached ? names.get(event.digest) : undefined;
      return vertex?.line === undefined ? [] : [vertex.name.replace(/^\[[^\]]*\] /, "")];
    });
  return { ran: ended(false), cached: ended(true) };
}

function waited(events: readonly BuildEvent[]): boolean {
  return events.some((event) => event.kind === "status" && event.id === "waiting for another build");
}

/** The command building the project, to be killed; `begun` when a step has printed that word. */
function startProcess(
  project: Project,
  proxy: string,
): { readonly begun: Promise<void>; readonly kill: () => Promise<void> } {
  const child = spawn(resolve("builder/cli/tsbuild"), ["--progress=plain", "."], {
    cwd: project.directory,
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: join(project.store, "..", "home"),
      XDG_CACHE_HOME: resolve("node_modules/.cache"),
      TSBUILD_ROOT: project.store,
      HTTP_PROXY: proxy,
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const begun = new Promise<void>((done, fail) => {
    let text = "";
    child.stderr.on("data", (data: Buffer) => {
      text += data.toString();
      if (/^#\d+ \d+\.\d+ begun$/m.test(text)) done();
    });
    child.on("close", () => fail(new Error(text)));
  });
  begun.catch(() => undefined);
  const closed = once(child, "close");
  return {
    begun,
    kill: async () => {
      child.kill("SIGKILL");
      await closed;
    },
  };
}

describe("builds side by side", () => {
  it("run the steps they share once", async () => {
    using project = new Project({ Dockerfile: `${fromBusybox}RUN sleep 0.5; echo x > /x\nRUN echo y > /y\n` });
    const [one, two] = await Promise.all([project.build({ tags: ["one"] }), project.build({ tags: ["two"] })]);
    expect([one.error, two.error]).toEqual([undefined, undefined]);
    const ran = [...steps(one.events).ran, ...steps(two.events).ran].toSorted();
    expect(ran).toEqual(["COPY busybox/ /", "RUN echo y > /y", "RUN sleep 0.5; echo x > /x"]);
    expect(waited(one.events) || waited(two.events)).toBe(true);
    expect(one.result?.imageID).toBe(two.result?.imageID);
  });

  it("find a step that has ended while the build it belongs to goes on", async () => {
    using project = new Project({
      Dockerfile: `${fromBusybox}RUN echo a > /a\nRUN echo begun; sleep 1000\n`,
      "other.Dockerfile": `${fromBusybox}RUN echo a > /a\nRUN echo end\n`,
    });
    const abort = new AbortController();
    const begun = Promise.withResolvers<void>();
    const first = build({
      context: project.directory,
      root: project.store,
      signal: abort.signal,
      onEvent: (event) => (event.kind === "log" ? begun.resolve() : undefined),
    });
    first.result.catch((error: unknown) => begun.reject(error));
    await begun.promise;
    const second = await project.build({ dockerfile: join(project.directory, "other.Dockerfile") });
    expect(second.error).toBeUndefined();
    expect(steps(second.events)).toEqual({ ran: ["RUN echo end"], cached: ["COPY busybox/ /", "RUN echo a > /a"] });
    abort.abort();
    await expect(first.result).rejects.toThrow();
  });

  it.each([
    { how: "is killed", script: '[ -z "$HTTP_PROXY" ] || sleep 1000' },
    { how: "fails", script: 'sleep 0.5; [ -z "$HTTP_PROXY" ]' },
  ])("run a step themselves when the build that runs it $how", async ({ how, script }) => {
    using project = new Project({ Dockerfile: `${fromBusybox}RUN echo begun; ${script}\n` });
    const holder = startProcess(project, "http://127.0.0.1:9");
    await holder.begun;
    const events: BuildEvent[] = [];
    let killed: Promise<void> | undefined;
    const second = build({
      context: project.directory,
      root: project.store,
      onEvent: (event) => {
        events.push(event);
        if (how === "is killed" && event.kind === "status") killed ??= holder.kill();
      },
    });
    await second.result;
    await (killed ?? holder.kill());
    expect(waited(events)).toBe(true);
    expect(steps(events).ran).toContain(`RUN echo begun; ${script}`);
  });

  it("end at once when they are stopped while waiting", async () => {
    using project = new Project({ Dockerfile: `${fromBusybox}RUN echo begun; sleep 1000\n` });
    const holder = startProcess(project, "");
    await holder.begun;
    const abort = new AbortController();
    const second = build({
      context: project.directory,
      root: project.store,
      signal: abort.signal,
      onEvent: (event) => (event.kind === "status" ? abort.abort() : undefined),
    });
    await expect(second.result).rejects.toThrow();
    await holder.kill();
  });
});

describe("independent stages", () => {
  it("take at most 1.15 times as long as the longest chain", async () => {
    const stage = (name: string, ...seconds: readonly number[]): string =>
      `FROM base AS ${name}\n${seconds.map((time) => `RUN sleep ${time}; echo ${name}${time} > /${name}\n`).join("")}`;
    using project = new Project({
      Dockerfile: `${fromBusybox.replace("scratch", "scratch AS base")}RUN true\n${stage("a", 1, 0.5)}${stage("b", 0.7, 0.6)}${stage("c", 1.2)}${stage("d", 0.4, 0.4, 0.4)}FROM base\n${["a", "b", "c", "d"].map((name) => `COPY --from=${name} /${name} /\n`).join("")}`,
    });
    const outcome = await project.build({ maxParallelism: 8 });
    expect(outcome.error).toBeUndefined();
    const { wall, longest } = timesOf(outcome);
    expect(wall).toBeGreaterThan(1500);
    expect(wall / longest).toBeLessThan(1.15);
  });
});

/** Milliseconds from the first sleeping step's start to the last one's end, and of the chain that took longest. */
function timesOf({ events }: Outcome): { readonly wall: number; readonly longest: number } {
  const chains = new Map<string, number>();
  const started = new Map<string, { readonly time: number; readonly stage: string }>();
  const stageOf = new Map(
    events.flatMap((event) =>
      event.kind === "vertex" && event.vertex.name.includes("RUN sleep")
        ? [[event.vertex.digest, event.vertex.slot?.split("/")[0] ?? ""]]
        : [],
    ),
  );
  let last = 0;
  for (const event of events) {
    if (event.kind === "started" && stageOf.has(event.digest))
      started.set(event.digest, { time: event.time, stage: stageOf.get(event.digest) ?? "" });
    const begin = event.kind === "completed" ? started.get(event.digest) : undefined;
    if (event.kind !== "completed" || begin === undefined) continue;
    last = Math.max(last, event.time);
    chains.set(begin.stage, (chains.get(begin.stage) ?? 0) + event.time - begin.time);
  }
  const first = Math.min(...[...started.values()].map(({ time }) => time));
  return { wall: last - first, longest: Math.max(...chains.values()) };
}
