import { spawn } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { build, type BuildEvent } from "../../builder/index.ts";
import { Project, fromBusybox } from "../rig/project.ts";

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
  it("run at the same time: each waits for all others", async () => {
    const names = ["a", "b", "c", "d", "e", "f"];
    const meet = `for n in ${names.join(" ")}; do i=0; while [ ! -e /meet/$n ]; do i=$((i+1)); [ $i -lt 600 ] || exit 1; sleep 0.1; done; done`;
    const stage = (name: string): string =>
      `FROM base AS ${name}\nRUN --mount=type=cache,id=meet,target=/meet touch /meet/${name}; ${meet}; echo ${name} > /${name}\n`;
    using project = new Project({
      Dockerfile: `${fromBusybox.replace("scratch", "scratch AS base")}${names.map(stage).join("")}FROM base\n${names.map((name) => `COPY --from=${name} /${name} /\n`).join("")}`,
    });
    const outcome = await project.build({ maxParallelism: names.length });
    expect(outcome.error).toBeUndefined();
  });
});
