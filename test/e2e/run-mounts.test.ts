import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { openStore } from "../../store/open.ts";
import { fromBusybox, Project, type Outcome } from "../rig/project.ts";

/** Builds and exports; `read` of the exported tree. */
async function buildOut(
  project: Project,
  options: Parameters<Project["build"]>[0] = {},
): Promise<{ readonly outcome: Outcome; readonly dest: string; readonly read: (path: string) => string }> {
  const dest = join(project.store, "..", "out");
  const outcome = await project.build({ ...options, outputs: [{ type: "local", dest }] });
  return { outcome, dest, read: (path) => readFileSync(join(dest, path), "utf8") };
}

function ran(outcome: Outcome): readonly string[] {
  const names = new Map(
    outcome.events.flatMap((event) =>
      event.kind === "vertex" ? [[event.vertex.digest, event.vertex.name] as const] : [],
    ),
  );
  return outcome.events.flatMap((event) => (event.kind === "started" ? [names.get(event.digest) ?? ""] : []));
}

describe("RUN --mount=type=bind", () => {
  it("shows the context without what is ignored, read-only, root's, and leaves nothing in the layer", async () => {
    using project = new Project({
      Dockerfile: `${fromBusybox}WORKDIR /w
RUN --mount=target=src --mount=source=sub/file,dst=/one.txt \\
    cat src/sub/file /one.txt > seen && ls src >> seen && stat -c %u:%g src/sub >> seen && ! touch src/new 2>/dev/null
RUN --mount=type=bind,source=sub,target=/rw,rw echo x > /rw/new && test -f /rw/new && rm /rw/file
RUN --mount=type=bind,source=sub,target=/rw test -f /rw/file && test ! -e /rw/new
`,
      "sub/file": "content\n",
      "hidden/file": "no\n",
      ".dockerignore": "hidden\nbusybox/tmp\n",
    });
    const { outcome, read, dest } = await buildOut(project);
    expect(outcome.error).toBeUndefined();
    expect(read("w/seen")).toBe("content\ncontent\nDockerfile\nbusybox\nsub\n0:0\n");
    expect(readdirSync(join(dest, "w"))).toEqual(["seen"]);
    expect(existsSync(join(dest, "one.txt"))).toBe(false);
    expect(existsSync(join(dest, "rw"))).toBe(false);
    expect(readFileSync(join(project.directory, "sub/file"), "utf8")).toBe("content\n");
    const again = await project.build();
    expect(ran(again).filter((name) => name.includes("RUN"))).toEqual([]);
    project.write("sub/file", "other\n");
    const changed = await project.build();
    expect(changed.error).toBeUndefined();
    expect(ran(changed).filter((name) => name.includes("RUN"))).toHaveLength(3);
  });

  it("reads part of a stage: only what it shows is in the key, symlinks stay inside", async () => {
    const dockerfile = (text: string): string => `${fromBusybox.replace("FROM scratch", "FROM scratch AS base")}
FROM base AS made
RUN mkdir -p /out/dir && echo kept > /out/dir/file && ln -s /etc/passwd /out/dir/link && ln -s /out /to-out
RUN echo ${text} > /other
FROM base
RUN --mount=from=made,source=/to-out/dir,target=/m cat /m/file > /got && cat /m/link >> /got && ! echo > /m/file 2>/dev/null
RUN --mount=from=made,source=/out/dir/file,target=/etc/group cat /etc/group >> /got
`;
    using project = new Project({ Dockerfile: dockerfile("a") });
    const { outcome, read } = await buildOut(project);
    expect(outcome.error).toBeUndefined();
    expect(read("got")).toMatch(/^kept\nroot:x:0.*\n.*\nkept\n$/);
    expect(read("etc/group")).toContain("root:x:0:");
    project.write("Dockerfile", dockerfile("b"));
    const changed = await project.build();
    expect(ran(changed).filter((name) => name.includes("RUN"))).toEqual([
      expect.stringContaining("RUN echo b > /other"),
    ]);
  });

  it.each([
    ["target=/m,source=nope", "E_COPY_NOT_FOUND", "nope"],
    ["from=made,source=/nope,target=/m", "E_MOUNT_SOURCE", "/nope"],
    ["from=later,target=/m", "E_STAGE_ORDER", "later"],
    ["from=9,target=/m", "E_STAGE_NOT_FOUND", "9"],
    ["from=$X,target=/m", "E_COPY_FROM_VARIABLE", "$X"],
    ["target=/", "E_MOUNT_FLAG", "Cannot mount on /"],
    ["target=../..", "E_MOUNT_FLAG", "Cannot mount on /"],
    ["targt=/m", "E_MOUNT_FLAG", '"targt"'],
  ])("refuses %s with %s", async (flag, code, text) => {
    using project = new Project({
      Dockerfile: `${fromBusybox.replace("FROM scratch", "FROM scratch AS made")}
FROM made
RUN --mount=${flag} true
FROM made AS later
`,
    });
    const { error } = await project.build({ target: "1" });
    expect(error).toMatchObject({ code, location: { start: { line: 5 } } });
    expect(String(error)).toContain(text);
  });
});

describe("a target that cannot be mounted on", () => {
  it.each([
    ["source=dir,target=/file", "a directory cannot lie on a file"],
    ["source=dir/x,target=/dir", "nor a file on a directory"],
    ["type=cache,target=/file", "a directory cannot lie on a file"],
    ["type=tmpfs,target=/file/x", "a part of the target's path is a file"],
    ["type=tmpfs,target=/loop/x", "symbolic links in the target's path"],
  ])("is an error that says why: %s", async (mount, hint) => {
    using project = new Project({
      Dockerfile: `${fromBusybox}RUN touch /file && mkdir /dir && ln -s loop /loop\nRUN --mount=${mount} true\n`,
      "dir/x": "",
    });
    const { error } = await project.build();
    expect(error).toMatchObject({
      code: "E_RUNTIME_SETUP",
      location: { start: { line: 4 } },
      hint: expect.stringContaining(hint),
    });
  });
});

describe("RUN --mount=type=cache", () => {
  it("keeps what is written for later steps and builds, in no layer and no key, until it is pruned", async () => {
    using project = new Project({
      Dockerfile: `${fromBusybox}ARG N
RUN --mount=type=cache,id=c,target=/cache,uid=1000,gid=1001,mode=0750 \\
    stat -c %a:%u:%g /cache && echo "$N" >> /cache/log && cat /cache/log
RUN --mount=type=cache,id=c,target=/other,uid=1000,gid=1001,mode=750,ro cat /other/log && ! touch /other/x 2>/dev/null
RUN test ! -e /cache -a ! -e /other
`,
    });
    const first = await project.build({ buildArgs: { N: "1" } });
    expect(first.error).toBeUndefined();
    expect(first.log).toBe("750:1000:1001\n1\n1\n");
    const second = await project.build({ buildArgs: { N: "2" } });
    expect(second.log).toBe("750:1000:1001\n1\n2\n1\n2\n");
    expect((await project.build({ buildArgs: { N: "2" } })).log).toBe("");
    const apart = await project.build({ buildArgs: { N: "2", BUILDKIT_CACHE_MOUNT_NS: "x" } });
    expect(apart.log).toBe("750:1000:1001\n2\n2\n");
    await using store = await openStore({ root: project.store });
    await store.collect({ unusedFor: 3_600_000 });
    expect(readdirSync(join(project.store, "mounts"))).toHaveLength(2);
    expect((await store.collect({ unusedFor: 0 })).bytes).toBeGreaterThan(0);
    expect(readdirSync(join(project.store, "mounts"))).toEqual([]);
  });

  it("begins with the content of its source", async () => {
    using project = new Project({
      Dockerfile: `${fromBusybox.replace("FROM scratch", "FROM scratch AS base")}
FROM base AS seed
RUN mkdir -p /s/deep && echo seeded > /s/deep/file && chown 1000:1001 /s/deep/file
FROM base
RUN --mount=type=cache,target=/c,from=seed,source=/s cat /c/deep/file && stat -c %u:%g /c/deep/file && echo more >> /c/deep/file
RUN --mount=type=cache,target=/c,from=seed,source=s cat /c/deep/file
`,
    });
    const { error, log } = await project.build();
    expect(error).toBeUndefined();
    expect(log).toBe("seeded\n1000:1001\nseeded\nmore\n");
  });

  it("shows the part of it that source names: one cache for all its parts", async () => {
    using project = new Project({
      Dockerfile: `${fromBusybox}RUN --mount=type=cache,id=c,target=/c mkdir -p /c/one /c/two/deep && echo 1 > /c/one/f && ln -s /two /c/link && echo f > /c/file
RUN --mount=type=cache,id=c,source=one,target=/x --mount=type=cache,id=c,source=/link/../two/deep,target=/y,uid=5,mode=0700 \
    cat /x/f && stat -c %a:%u /y && echo made > /y/f
RUN --mount=type=cache,id=c,source=/link,target=/z,ro cat /z/deep/f && ! touch /z/g 2>/dev/null
RUN --mount=type=cache,id=c,source=file,target=/made/file cat /made/file && echo more >> /made/file
RUN --mount=type=cache,id=c,target=/c cat /c/file /c/two/deep/f && rm -r /c/link && ln -s / /c/link
RUN --mount=type=cache,id=c,source=link/link,target=/all ls /all && test ! -e /all/bin
`,
    });
    const { error, log } = await project.build();
    expect(error).toBeUndefined();
    expect(log).toBe("1\n755:0\nmade\nf\nf\nmore\nmade\nfile\nlink\none\ntwo\n");
  });

  it("begins as a new one in steps without cache, once in a build", async () => {
    using project = new Project({
      Dockerfile: `${fromBusybox}RUN --mount=type=cache,id=c,target=/c echo a >> /c/log
FROM scratch AS other
COPY --from=0 / /
RUN --mount=type=cache,id=c,target=/c echo b >> /c/log && cat /c/log > /seen
`,
    });
    expect((await buildOut(project)).read("seen")).toBe("a\nb\n");
    expect((await buildOut(project, { noCache: true })).read("seen")).toBe("a\nb\n");
    expect((await buildOut(project, { noCache: ["other"] })).read("seen")).toBe("b\n");
  });

  it("stays as it is for a step that uses it while another build empties it", async () => {
    const mount = "--mount=type=cache,id=c,target=/c";
    using project = new Project({
      Dockerfile: `${fromBusybox}RUN ${mount} echo mine > /c/f && while [ ! -e /c/go ]; do sleep 0.05; done; cat /c/f > /seen\n`,
    });
    await using caches = await openStore({ root: project.store });
    const held = await caches.cacheMounts.take(
      { id: "c", seed: "", mode: 0o755, uid: 0, gid: 0 },
      { sharing: "shared", fill: async () => undefined, signal: new AbortController().signal },
    );
    const running = buildOut(project);
    while (!existsSync(join(held.directory, "f"))) await setTimeout(20);
    project.write("Dockerfile.2", `${fromBusybox}RUN ${mount} ls /c > /seen\n`);
    const other = join(project.store, "..", "out2");
    const output = { type: "local", dest: other } as const;
    const emptied = await project.build({
      dockerfile: join(project.directory, "Dockerfile.2"),
      noCache: true,
      outputs: [output],
    });
    expect(emptied.error).toBeUndefined();
    expect(readFileSync(join(other, "seen"), "utf8")).toBe("");
    writeFileSync(join(held.directory, "go"), "");
    held[Symbol.dispose]();
    expect((await running).read("seen")).toBe("mine\n");
  });

  it("says which part of a cache is not there", async () => {
    using project = new Project({
      Dockerfile: `${fromBusybox}RUN --mount=type=cache,id=c,target=/c true
RUN --mount=type=cache,id=c,source=sub/dir,target=/x true
`,
    });
    const { error } = await project.build();
    expect(error).toMatchObject({ code: "E_MOUNT_SOURCE", location: { start: { line: 4 } } });
    expect(String(error)).toContain('Cannot mount "/sub/dir" of the cache "c": it is not in it');
  });

  it.each([
    ["shared", ["a\nb\n", "a\nb\n"]],
    ["private", ["a\n", "b\n"]],
  ])("sharing=%s gives %j to two builds at a time", async (sharing, expected) => {
    // Each goes on when it sees the other.
    const step = (own: string, other: string): string => `RUN --mount=type=cache,target=/c,sharing=${sharing} \\
  --mount=type=cache,target=/meet touch /c/${own} && touch /meet/${own} && until test -e /meet/${other}; do sleep 0.02; done; ls /c`;
    using project = new Project({});
    project.write("a.Dockerfile", `${fromBusybox}${step("a", "b")}\n`);
    project.write("b.Dockerfile", `${fromBusybox}${step("b", "a")}\n`);
    const outcomes = await Promise.all(
      ["a", "b"].map((name) => project.build({ dockerfile: join(project.directory, `${name}.Dockerfile`) })),
    );
    expect(outcomes.map(({ error }) => error)).toEqual([undefined, undefined]);
    expect(outcomes.map(({ log }) => log)).toEqual(expected);
  });

  it("sharing=locked lets one step at a time use it, also when two take two of them in another order", async () => {
    const step = (
      first: string,
      second: string,
    ): string => `RUN --mount=type=cache,target=/x,id=${first},sharing=locked \\
  --mount=type=cache,target=/y,id=${second},sharing=locked \\
  for i in 1 2 3 4 5; do mkdir /x/busy /y/busy || exit 1; sleep 0.01; rmdir /x/busy /y/busy; done`;
    using project = new Project({
      Dockerfile: `${fromBusybox.replace("FROM scratch", "FROM scratch AS base")}
FROM base AS a
${step("one", "two")}
RUN touch /a
FROM base AS b
${step("two", "one")}
RUN touch /b
FROM base
COPY --from=a /a /
COPY --from=b /b /
`,
    });
    expect((await project.build()).error).toBeUndefined();
  });
});

describe("RUN --mount=type=tmpfs", () => {
  it("is empty, writable, of its size, and leaves nothing", async () => {
    using project = new Project({
      Dockerfile: `${fromBusybox}RUN mkdir /t && echo below > /t/file
RUN --mount=type=tmpfs,target=/t,size=64k test ! -e /t/file && echo x > /t/x && ! head -c 100000 /dev/zero > /t/big 2>/dev/null
RUN --mount=type=tmpfs,target=/t,ro ! touch /t/x 2>/dev/null
RUN cat /t/file && ls /t
`,
    });
    const { error, log } = await project.build();
    expect(error).toBeUndefined();
    expect(log).toBe("below\nfile\n");
  });
});

describe("RUN --mount=type=secret", () => {
  it("is a program where its mode says so, and none where it does not", async () => {
    const at = (mode: string): string => `--mount=type=secret,id=s,target=/s${mode},mode=${mode}`;
    using project = new Project({
      Dockerfile: `${fromBusybox}RUN ${at("0700")} ${at("0400")} /s0700 && cp /s0400 /c && sh -c '/s0400; test $? = 126'\n`,
    });
    const { error, log } = await project.build({ secrets: { s: () => "#!/bin/sh\necho it ran\n" } });
    expect(error).toBeUndefined();
    expect(log).toContain("it ran");
  });

  it("gives files and variables with their owners, to the step alone, and masks them in its log", async () => {
    using project = new Project({
      Dockerfile: `${fromBusybox}WORKDIR /w
RUN --mount=type=secret,id=token cat /run/secrets/token && stat -c '%a %u:%g' /run/secrets/token
RUN --mount=type=secret,id=token,target=here,mode=0440,uid=1000,gid=1001 stat -c '%a %u:%g' /w/here && ! echo x 2>/dev/null >/w/here
RUN --mount=type=secret,id=token,env=TOKEN test "$TOKEN" = "$(echo czNjcjN0LXZhbHVl | base64 -d)" && test ! -e /run/secrets && echo "[$TOKEN]"
RUN --mount=type=secret,id=absent,target=/a --mount=type=secret,id=absent,env=A test ! -e /a && test -z "$A" && echo none
RUN --mount=type=secret,source=lines cat /run/secrets/lines
RUN for i in s 3 c r 3 t - v a l u e; do printf $i; sleep 0.01; done; echo; test ! -e /run && ls /w
`.replace("echo czNjcjN0LXZhbHVl | base64 -d", "printf 's3cr3%s' t-value"),
    });
    const secrets = { token: () => "s3cr3t-value", lines: async () => Buffer.from("first-line\nsecond-line\n") };
    const { error, log } = await project.build({ secrets });
    expect(error).toBeUndefined();
    expect(log).toBe("****400 0:0\n440 1000:1001\n[****]\nnone\n****\n****\n");
    const again = await project.build({ secrets: { token: () => "another-value" } });
    expect(again.log).toBe("");
  });

  it("is required only if it says so", async () => {
    using project = new Project({ Dockerfile: `${fromBusybox}RUN --mount=type=secret,id=key,required true\n` });
    const { error } = await project.build();
    expect(error).toMatchObject({ code: "E_SECRET_NOT_FOUND", location: { start: { line: 3 } } });
  });
});
