import { existsSync, readdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { run } from "../../builder/index.ts";
import { mountsOf } from "../rig/mounts.ts";
import { Project, fromBusybox, type Outcome } from "../rig/project.ts";

const cachedSteps = (outcome: Outcome): boolean => outcome.result?.steps.cached === outcome.result?.steps.total;

function leftovers(store: string): readonly string[] {
  return [...mountsOf(store), ...readdirSync(join(store, "leases"))];
}

describe("build()", () => {
  it("runs steps as the Dockerfile says and takes all of them from the cache the second time", async () => {
    using project = new Project({
      Dockerfile: `${fromBusybox}ARG V=1\nENV X=$V\nWORKDIR /app\nRUN echo "$X $V $(id -u)" > out\nCOPY a.txt sub/ ./\nUSER app\nRUN id && pwd\nCMD ["cat", "/app/out"]\n`,
      "a.txt": "a",
      "sub/b.txt": "b",
    });
    const first = await project.build({ tags: ["app"] });
    expect(first.error).toBeUndefined();
    expect(first.log).toContain("uid=1000(app) gid=1001(app) groups=1001(app),2000(extra)");
    expect(first.result).toMatchObject({ names: ["docker.io/library/app:latest"], layers: 4 });
    const second = await project.build({ tags: ["app"] });
    expect(cachedSteps(second)).toBe(true);
    expect(second.result?.imageID).toBe(first.result?.imageID);
    expect(leftovers(project.store)).toEqual([]);
  });

  it("keeps a hit for a file that was touched and a miss that names the file that changed", async () => {
    using project = new Project({ Dockerfile: `${fromBusybox}COPY a.txt /a\nRUN cat /a\n`, "a.txt": "one" });
    await project.build();
    utimesSync(join(project.directory, "a.txt"), 1, 1);
    expect(cachedSteps(await project.build())).toBe(true);
    project.write("a.txt", "two");
    const changed = await project.build();
    const reasons = changed.events.flatMap((event) => (event.kind === "miss" ? event.reasons : []));
    expect(reasons).toEqual(["a.txt changed", "earlier step changed: COPY a.txt /a (line 3)"]);
  });

  it("hits COPY --from when the stage was rebuilt with identical files", async () => {
    using project = new Project({
      Dockerfile: `${fromBusybox.replace("scratch", "scratch AS tools")}\nFROM tools AS make\nCOPY in.txt /in\nRUN echo same > /out\nFROM tools\nCOPY --from=make /out /out\nRUN cat /out\n`,
      "in.txt": "1",
    });
    await project.build();
    project.write("in.txt", "2");
    const outcome = await project.build();
    expect(outcome.error).toBeUndefined();
    expect(outcome.result?.steps).toEqual({ total: 5, cached: 3 });
  });

  it("leaves a file out of the layer that was written again with the same bytes or moved away and back", async () => {
    using project = new Project({
      Dockerfile: `${fromBusybox}RUN echo x > /f && touch -d @1000 /f\nRUN mv /f /g && mv /g /f && cp /f /p && cat /p > /f && touch -d @1000 /f && rm /p\n`,
    });
    const outcome = await project.build();
    expect(outcome.error).toBeUndefined();
    expect(outcome.result?.layers).toBe(2);
  });

  it("runs independent stages side by side and none that is not needed", async () => {
    using project = new Project({
      Dockerfile: `${fromBusybox.replace("scratch", "scratch AS tools")}FROM tools AS unused\nRUN false\nFROM tools AS a\nRUN echo a > /a\nFROM tools AS b\nRUN echo b > /b\nFROM tools\nCOPY --from=a /a /\nCOPY --from=b /b /\n`,
    });
    const outcome = await project.build();
    expect(outcome.error).toBeUndefined();
    expect(outcome.result?.layers).toBe(3);
  });

  it.each([
    [1, 1],
    [0, 2],
  ])("runs %i steps at once at most (0: all), when told so", async (maxParallelism, most) => {
    using project = new Project({
      Dockerfile: `${fromBusybox.replace("scratch", "scratch AS tools")}FROM tools AS a\nRUN echo a > /a\nFROM tools AS b\nRUN echo b > /b\nFROM tools\nCOPY --from=a /a /\nCOPY --from=b /b /\n`,
    });
    const { events, error } = await project.build({ maxParallelism });
    expect(error).toBeUndefined();
    const runs = new Set(
      events.flatMap((event) =>
        event.kind === "vertex" && event.vertex.name.includes("RUN") ? event.vertex.digest : [],
      ),
    );
    let running = 0;
    let highest = 0;
    for (const event of events) {
      if ((event.kind !== "started" && event.kind !== "completed") || !runs.has(event.digest)) continue;
      running += event.kind === "started" ? 1 : -1;
      highest = Math.max(highest, running);
    }
    expect(highest).toBe(most);
  });

  it("does the steps of the stages that --no-cache-filter names again, and warns of a name that is none", async () => {
    using project = new Project({
      Dockerfile: `${fromBusybox.replace("scratch", "scratch AS Tools")}FROM tools AS a\nRUN echo a > /a\nFROM tools\nCOPY --from=a /a /\nRUN echo b\n`,
    });
    await project.build();
    const again = await project.build({ noCache: ["A", "tolls"] });
    expect(again.result?.steps).toEqual({ total: 4, cached: 3 });
    // Stages without a name have their number.
    expect((await project.build({ noCache: ["2"] })).result?.steps).toEqual({ total: 4, cached: 2 });
    const warnings = again.events.flatMap((event) =>
      event.kind === "warning" && event.rule === undefined ? event.message : [],
    );
    expect(warnings).toEqual(['No stage is called "tolls": --no-cache-filter does nothing (did you mean tools?)']);
  });

  it("reports a failing RUN with its place, its last lines and its exit code, and leaves nothing behind", async () => {
    using project = new Project({ Dockerfile: `${fromBusybox}RUN echo before; exit 3\n` });
    const { error } = await project.build();
    expect(error).toMatchObject({
      code: "E_RUN_FAILED",
      message: "RUN exited with code 3",
      notes: ["before", expect.stringMatching(/^full log: .*-2\.log$/)],
      location: { start: { line: 3, column: 1 } },
    });
    expect(leftovers(project.store)).toEqual([]);
  });

  it("ends a step that left a daemon behind", async () => {
    using project = new Project({ Dockerfile: `${fromBusybox}RUN sleep 1000 & echo started\n` });
    const outcome = await project.build();
    expect(outcome.error).toBeUndefined();
    expect(leftovers(project.store)).toEqual([]);
  });

  it("stops when it is aborted, and leaves nothing behind", async () => {
    using project = new Project({ Dockerfile: `${fromBusybox}RUN echo up; sleep 1000\n` });
    const abort = new AbortController();
    const { error } = await project.build({
      signal: abort.signal,
      onEvent: (event) => {
        if (event.kind === "log") abort.abort();
      },
    });
    expect(error).toBeDefined();
    expect(leftovers(project.store)).toEqual([]);
  });

  it("names the missing source of a COPY and the ignore file's line that hides it", async () => {
    using project = new Project({
      Dockerfile: "FROM scratch\nCOPY secret.txt /\n",
      "secret.txt": "x",
      ".dockerignore": "*.txt\n",
    });
    const { error } = await project.build();
    expect(error).toMatchObject({ code: "E_COPY_NOT_FOUND", notes: ["it is excluded by .dockerignore line 1: *.txt"] });
  });
});

describe("run()", () => {
  it("gives the exit code of the program, and 126 or 127 where it cannot be run", async () => {
    using project = new Project({ Dockerfile: `${fromBusybox}CMD ["sh", "-c", "exit 7"]\n` });
    await project.build({ tags: ["app"] });
    const options = { root: project.store, image: "app" };
    expect(await run(options)).toEqual({ exitCode: 7 });
    expect(await run({ ...options, command: ["sh", "-c", "kill -15 $$"], init: true })).toEqual({ exitCode: 143 });
    await expect(run({ ...options, command: ["nope"] })).rejects.toMatchObject({ exitCode: 127 });
    await expect(run({ ...options, command: ["/etc/passwd"] })).rejects.toMatchObject({ exitCode: 126 });
    await expect(run({ ...options, image: "localhost:1/none" })).rejects.toMatchObject({ exitCode: 125 });
    expect(existsSync(join(project.store, "leases"))).toBe(true);
    expect(leftovers(project.store)).toEqual([]);
  });
});
