import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fromBusybox, Project } from "../../rig/project.ts";
import { makeTemp, type Temp } from "../../rig/temp.ts";

/** Attacks on the mounts of RUN by Dockerfiles and images, each named for whom it worked on. */
describe("RUN --mount", () => {
  let temp: Temp;
  let canary: string;
  let before: unknown;
  const state = (): unknown => {
    const { mtimeMs, mode, nlink } = lstatSync(canary);
    return { mtimeMs, mode, nlink, names: readdirSync(canary), file: readFileSync(join(canary, "file"), "utf8") };
  };

  beforeAll(() => {
    temp = makeTemp();
    canary = join(temp.path, "canary");
    mkdirSync(canary);
    writeFileSync(join(canary, "file"), "of the host\n");
    before = state();
  });
  afterAll(() => {
    expect(state()).toEqual(before);
    temp[Symbol.dispose]();
  });

  it("has its targets removed inside of the root alone, whatever the step puts there (CVE-2024-23652)", async () => {
    using project = new Project({
      Dockerfile: `${fromBusybox}RUN --mount=type=tmpfs,target=/a/b/canary/x --mount=type=secret,id=s,target=/p/file \\
  mv /a /away && ln -s ${temp.path} /a && mkdir /q && mv /p /p2 && ln -s ${canary} /p && ls /a /p; true
RUN test -L /a && test -L /p && test -d /away/b
`,
    });
    const { error } = await project.build({ secrets: { s: () => "value" } });
    expect(error).toBeUndefined();
    expect(state()).toEqual(before);
  });

  it.each([
    ["/", "/"],
    ["up", "../../../../../../../../.."],
    ["canary", "CANARY"],
    ["proc", "/proc/self/root"],
    ["fd", "/proc/self/fd"],
  ])("reads a symlink in an image as the image's own: %s (CVE-2024-1753)", async (_, link) => {
    const target = link.replace("CANARY", canary);
    using project = new Project({
      Dockerfile: `${fromBusybox.replace("FROM scratch", "FROM scratch AS base")}
FROM base AS evil
RUN ln -s ${target} /link && mkdir -p ${canary} && echo of the image > ${canary}/file && echo of the image > /file
FROM base
RUN --mount=type=bind,from=evil,source=/link,target=/m,rw ls /m; cat /m/file ${canary}/file 2>/dev/null; echo x > /m/file; true
`,
    });
    const { error, log } = await project.build();
    if (link.startsWith("/proc"))
      expect(error).toMatchObject({ code: expect.stringMatching(/E_MOUNT_SOURCE|E_RUNTIME_SETUP|E_COPY_NOT_FOUND/) });
    else expect(error).toBeUndefined();
    expect(log).not.toContain("of the host");
    expect(state()).toEqual(before);
  });

  it("makes no path of a cache's id (CVE-2024-9675)", async () => {
    const ids = ["../../../../../../../../CANARY", "/CANARY", "..", ".", "a/../../b", "x".repeat(5000), "a\tb"];
    const steps = ids.map(
      (id) => `RUN --mount=type=cache,target=/c,"id=${id.replace("CANARY", canary)}" ls -A /c && echo x > /c/x\n`,
    );
    using project = new Project({ Dockerfile: `${fromBusybox}${steps.join("")}` });
    const { error, log } = await project.build();
    expect(error).toBeUndefined();
    expect(log).toBe("");
    const caches = readdirSync(join(project.store, "mounts"));
    expect(caches).toHaveLength(ids.length);
    for (const name of caches) expect(name).toMatch(/^[0-9a-f]{40}$/);
  });

  it.each([
    ["type=cache,target=/c,from=base,source=/../../../../../..", undefined],
    ["type=cache,target=/c,from=base,source=/link", "E_MOUNT_SOURCE"],
    ["type=cache,target=/c,source=/../../../../../..", undefined],
    ["type=cache,target=/c,source=sub", "E_MOUNT_SOURCE"],
    ["type=cache,target=/c,id=linked,source=link", "E_MOUNT_SOURCE"],
    ["type=cache,target=/c,id=linked,source=link/file", "E_MOUNT_SOURCE"],
    ["type=cache,target=/", "E_MOUNT_FLAG"],
    ["type=cache,target=/c/../..", "E_MOUNT_FLAG"],
    ["type=cache,target=/proc/sys", "E_RUNTIME_SETUP"],
    ["type=tmpfs,target=/proc", "E_RUNTIME_SETUP"],
    ["type=secret,id=s,target=/proc/sys/kernel/core_pattern", "E_RUNTIME_SETUP"],
    ["type=bind,target=/m,bind-propagation=shared", "E_MOUNT_FLAG"],
    ["type=bind,target=/m,rshared", "E_MOUNT_FLAG"],
    ["type=bind,target=/m,ro,relabel=shared", "E_MOUNT_FLAG"],
    ["type=bind,target=/m,U=true", "E_MOUNT_FLAG"],
  ])("with %s is confined or refused (CVE-2024-9675, 2024-9407)", async (flag, code) => {
    using project = new Project({
      Dockerfile: `${fromBusybox.replace("FROM scratch", "FROM scratch AS base")}RUN ln -s ${canary} /link
FROM base
RUN --mount=type=cache,target=/c,id=linked ln -s ${canary} /c/link
RUN --mount=${flag} ls /c; cat /c/file 2>/dev/null; true
`,
    });
    const { error, log } = await project.build({ secrets: { s: () => "value" } });
    if (code === undefined) expect(error).toBeUndefined();
    else expect(error).toMatchObject({ code });
    expect(log).not.toContain("of the host");
  });

  it.each(["--security=insecure", "--network=host", "--device=v.com/x=y,required"])(
    "and %s: what is not allowed is told before any step runs (CVE-2024-23653)",
    async (flag) => {
      using project = new Project({ Dockerfile: `${fromBusybox}RUN echo ran\nRUN ${flag} echo too\n` });
      const { error, events } = await project.build();
      expect(error).toMatchObject({ location: { start: { line: 4 } } });
      const steps = events.flatMap((event) =>
        event.kind === "vertex" && event.vertex.name.includes("RUN") ? [event] : [],
      );
      expect(steps).toEqual([]);
    },
  );
});
