import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { pack, type Header } from "tar-stream";
import { afterAll, describe, expect, it } from "vitest";
import { Project, type Outcome } from "../rig/project.ts";

const outside = join(mkdtempSync(join(tmpdir(), "tsbuild-outside-")), "victim");
afterAll(() => rmSync(join(outside, ".."), { recursive: true }));

type Entry = Partial<Header> & { readonly name: string; readonly text?: string };

async function tar(entries: readonly Entry[]): Promise<Buffer> {
  const archive = pack();
  for (const { text, ...header } of entries) archive.entry(header, text ?? "");
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) if (chunk instanceof Uint8Array) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* input(bytes: Buffer): AsyncGenerator<Uint8Array> {
  // In small pieces, as pipes give them.
  for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
}

const through = (program: string, bytes: Buffer): Buffer => execFileSync(program, ["-c"], { input: bytes });

/** Builds from standard input into a directory: its files, as `path: text`. */
async function buildFrom(
  bytes: Buffer,
  options: Parameters<Project["build"]>[0] = {},
): Promise<{ readonly outcome: Outcome; readonly files: readonly string[]; readonly left: readonly string[] }> {
  using project = new Project({});
  const dest = join(project.store, "..", "out");
  const outcome = await project.build({
    context: "-",
    stdin: input(bytes),
    outputs: [{ type: "local", dest }],
    ...options,
  });
  const files = existsSync(dest)
    ? readdirSync(dest).map((name) => `${name}: ${readFileSync(join(dest, name), "utf8")}`)
    : [];
  const leases = join(project.store, "leases");
  return { outcome, files, left: existsSync(leases) ? readdirSync(leases) : [] };
}

const dockerfile = { name: "Dockerfile", text: "FROM scratch\nCOPY a.txt ignored /\n" };
const files: readonly Entry[] = [
  dockerfile,
  { name: "a.txt", text: "A" },
  { name: "ignored", text: "I" },
  { name: ".dockerignore", text: "ignored\n" },
  { name: "sub/Other", text: "FROM scratch\nCOPY a.txt /other\n" },
];

describe("the context - as an archive", () => {
  it.each<[string, (bytes: Buffer) => Buffer]>([
    ["plain", (bytes) => bytes],
    ["gzip", (bytes) => gzipSync(bytes)],
    ["zstd", (bytes) => zstdCompressSync(bytes)],
    ["bzip2", (bytes) => through("bzip2", bytes)],
    ["xz", (bytes) => through("xz", bytes)],
  ])("is unpacked when it is %s, without its ignore file, and leaves nothing", async (_name, compress) => {
    const made = await buildFrom(compress(await tar(files)));
    expect(made.outcome.error).toBeUndefined();
    expect(made.files.toSorted()).toEqual(["a.txt: A", "ignored: I"]);
    expect(made.left).toEqual([]);
  });

  it("has the Dockerfile that -f names inside of it", async () => {
    const made = await buildFrom(await tar(files), { dockerfile: "sub/Other" });
    expect(made.files).toEqual(["other: A"]);
    const missing = await buildFrom(await tar(files), { dockerfile: "sub/Missing" });
    expect(missing.outcome.error).toMatchObject({ code: "E_DOCKERFILE_NOT_FOUND" });
  });

  it("is cached by content from build to build", async () => {
    using project = new Project({});
    const bytes = await tar(files);
    const outputs = [{ type: "cacheonly" }] as const;
    await project.build({ context: "-", stdin: input(bytes), outputs });
    const again = await project.build({ context: "-", stdin: input(gzipSync(bytes)), outputs });
    expect(again.result?.steps).toEqual({ total: 1, cached: 1 });
  });

  it("keeps the owners that it has", async () => {
    using project = new Project({});
    const bytes = await tar([
      { name: "Dockerfile", text: "FROM scratch\nCOPY busybox a /\nRUN stat -c %u:%g /a > /owner\n" },
    ]);
    const busybox = execFileSync("tar", ["-C", project.directory, "-c", "busybox"], { maxBuffer: 64 << 20 });
    const owned = await tar([{ name: "a", uid: 12, gid: 34, text: "" }]);
    const whole = Buffer.concat([bytes.subarray(0, -1024), owned.subarray(0, -1024), busybox]);
    const dest = join(project.store, "..", "out");
    const made = await project.build({ context: "-", stdin: input(whole), outputs: [{ type: "local", dest }] });
    expect(made.error).toBeUndefined();
    expect(readFileSync(join(dest, "owner"), "utf8")).toBe("12:34\n");
  });
});

describe("the Dockerfile of a build", () => {
  const text = "FROM scratch\nCOPY [ab].txt /\n";
  const all = { "a.txt": "A", "b.txt": "B" };

  it("may be called dockerfile, as with docker, also where -f says Dockerfile and in an archive", async () => {
    using project = new Project({ ...all, dockerfile: text });
    const outputs = [{ type: "cacheonly" }] as const;
    for (const dockerfile of [undefined, join(project.directory, "Dockerfile")])
      expect(
        (await project.build({ outputs, ...(dockerfile === undefined ? {} : { dockerfile }) })).error,
      ).toBeUndefined();
    project.write("Dockerfile", "FROM scratch\nCOPY missing /\n");
    expect((await project.build({ outputs })).error).toMatchObject({ code: "E_COPY_NOT_FOUND" });
    const made = await buildFrom(
      await tar([
        { name: "dockerfile", text },
        { name: "a.txt", text: "A" },
      ]),
    );
    expect(made.files).toEqual(["a.txt: A"]);
  });

  it("may be a pipe, also one that nobody writes, which can be interrupted; a directory is none", async () => {
    using project = new Project(all);
    const pipe = join(project.store, "..", "pipe");
    execFileSync("mkfifo", [pipe]);
    const outputs = [{ type: "cacheonly" }] as const;
    const [made] = await Promise.all([project.build({ outputs, dockerfile: pipe }), writeFile(pipe, text)]);
    expect(made.error).toBeUndefined();
    const signal = AbortSignal.timeout(100);
    expect((await project.build({ outputs, dockerfile: pipe, signal })).error).toBe(signal.reason);
    const directory = await project.build({ outputs, dockerfile: project.directory });
    expect(directory.error).toMatchObject({
      code: "E_DOCKERFILE_NOT_FOUND",
      message: expect.stringContaining("it is a directory"),
    });
  });

  it("from standard input is as large as others, and has no ignore file of its own", async () => {
    using project = new Project(all);
    const cwd = process.cwd();
    process.chdir(project.directory);
    try {
      writeFileSync("-.dockerignore", "a.txt\n");
      const dest = join(project.store, "..", "out");
      const options = { dockerfile: "-", outputs: [{ type: "local", dest }] } as const;
      await project.build({ ...options, stdin: input(Buffer.from(text)) });
      expect(readdirSync(dest)).toEqual(["a.txt", "b.txt"]);
    } finally {
      process.chdir(cwd);
    }
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) yield Buffer.alloc(1 << 20, "#");
    }
    const { error } = await project.build({ dockerfile: "-", stdin: endless() });
    expect(error).toMatchObject({ code: "E_DOCKERFILE_SIZE" });
  });

  it("finds no ignore file in a directory or a pipe of its name", async () => {
    using project = new Project({ ...all, Dockerfile: text });
    const ignore = join(project.directory, ".dockerignore");
    const dest = join(project.store, "..", "out");
    for (const make of [() => mkdirSync(ignore), () => execFileSync("mkfifo", [ignore])]) {
      make();
      expect((await project.build({ outputs: [{ type: "local", dest }] })).error).toBeUndefined();
      rmSync(ignore, { recursive: true });
    }
    writeFileSync(ignore, Buffer.alloc(5 << 20, "x"));
    expect((await project.build()).error).toMatchObject({ code: "E_DOCKERFILE_SIZE" });
  });

  it("is not read when no Dockerfile can be that large", async () => {
    using project = new Project({ Dockerfile: "FROM scratch\n" });
    // More than a process could read.
    truncateSync(join(project.directory, "Dockerfile"), 8 * 2 ** 30);
    for (const options of [{}, { dockerfile: join(project.directory, "Dockerfile") }])
      expect((await project.build(options)).error).toMatchObject({ code: "E_DOCKERFILE_SIZE" });
  });

  it("without files says so when it copies some", async () => {
    const made = await buildFrom(Buffer.from("FROM scratch\nCOPY a.txt /\n"));
    expect(made.outcome.error).toMatchObject({ code: "E_COPY_NOT_FOUND", hint: expect.stringContaining("-f - DIR") });
  });
});

describe("a hostile archive as context", () => {
  const link = (name: string, linkname: string): Entry => ({ name, type: "symlink", linkname });
  it.each<[string, readonly Entry[]]>([
    ["a name with ..", [{ name: "../../../../../../../../.." + outside, text: "x" }]],
    ["an absolute name", [{ name: outside, text: "x" }]],
    ["a symlink and a file behind it", [link("l", join(outside, "..")), { name: "l/victim", text: "x" }]],
    ["a relative symlink and a file behind it", [link("l", "../../../../../../../.."), { name: "l" + outside }]],
    ["a hard link to the host", [{ name: "h", type: "link", linkname: "/etc/shadow" }]],
  ])("with %s writes nothing outside", async (_name, entries) => {
    const made = await buildFrom(await tar([...files, ...entries]));
    expect(existsSync(outside)).toBe(false);
    expect(made.left).toEqual([]);
  });

  it("whose Dockerfile is a symlink to the host has none", async () => {
    const secret = `${outside}.secret`;
    writeFileSync(secret, "FROM scratch\nLABEL secret=1\n");
    for (const linkname of [secret, "../".repeat(20) + secret]) {
      const { outcome } = await buildFrom(await tar([link("Dockerfile", linkname)]));
      expect(outcome.error).toMatchObject({ code: "E_DOCKERFILE_NOT_FOUND" });
    }
  });

  it("whose Dockerfile is a pipe or a device has none", async () => {
    for (const entry of [
      { name: "Dockerfile", type: "fifo" },
      { name: "Dockerfile", type: "character-device", devmajor: 1, devminor: 5 },
    ] as const) {
      const { outcome } = await buildFrom(await tar([entry]));
      expect(outcome.error).toMatchObject({ code: "E_DOCKERFILE_NOT_FOUND" });
    }
  });

  it("with a source that is a symlink to the host copies nothing of the host", async () => {
    const { outcome } = await buildFrom(
      await tar([{ name: "Dockerfile", text: "FROM scratch\nCOPY l /x\n" }, link("l", "/etc/passwd")]),
    );
    expect(outcome.error).toMatchObject({ code: "E_COPY_NOT_FOUND" });
  });

  it("that is cut off fails and leaves nothing", async () => {
    const bytes = await tar([...files, { name: "big", text: "x".repeat(100_000) }]);
    const made = await buildFrom(bytes.subarray(0, 50_000));
    expect(made.outcome.error).toMatchObject({ code: expect.stringMatching(/^E_TAR/) });
    expect(made.left).toEqual([]);
  });
});

describe("the context - as a Dockerfile", () => {
  it("is built without any files", async () => {
    expect((await buildFrom(Buffer.from("FROM scratch\nCOPY <<E /made\nhi\nE\n"))).files).toEqual(["made: hi\n"]);
    const { outcome } = await buildFrom(Buffer.from("FROM scratch\nCOPY Dockerfile /\n"));
    expect(outcome.error).toMatchObject({ code: "E_COPY_NOT_FOUND" });
  });

  it.each<[string, Buffer, Parameters<Project["build"]>[0], string]>([
    ["nothing", Buffer.alloc(0), {}, "E_CONTEXT_STDIN"],
    ["bytes that are no text", Buffer.from("FROM scratch\0"), {}, "E_CONTEXT_STDIN"],
    ["text beside -f FILE", Buffer.from("FROM scratch\n"), { dockerfile: "Dockerfile" }, "E_CONTEXT_STDIN"],
    ["an archive beside -f -", Buffer.from("FROM scratch\n"), { dockerfile: "-" }, "E_CONTEXT_STDIN"],
    ["more text than a Dockerfile has", Buffer.alloc(5 << 20, "#"), {}, "E_DOCKERFILE_SIZE"],
  ])("refuses %s", async (_name, bytes, options, code) => {
    const made = await buildFrom(bytes, options);
    expect(made.outcome.error).toMatchObject({ code });
    expect(made.left).toEqual([]);
  });

  it("ends when the build is aborted though nothing comes", async () => {
    const abort = new AbortController();
    const { promise } = Promise.withResolvers<void>();
    const silent = async function* (): AsyncGenerator<Uint8Array> {
      queueMicrotask(() => abort.abort());
      await promise;
      yield Buffer.alloc(0);
    };
    const made = await buildFrom(Buffer.alloc(0), { stdin: silent(), signal: abort.signal });
    expect(made.outcome.error).toBeDefined();
    expect(made.left).toEqual([]);
  });
});

describe("-f -", () => {
  it("reads the Dockerfile from standard input and the files and ignore file from the directory", async () => {
    using project = new Project({ "a.txt": "A", "b.txt": "B", ".dockerignore": "b.txt\n" });
    const dest = join(project.store, "..", "out");
    const text = Buffer.from("FROM scratch\nCOPY *.txt /\n");
    await project.build({ dockerfile: "-", stdin: input(text), outputs: [{ type: "local", dest }] });
    expect(readdirSync(dest)).toEqual(["a.txt"]);
  });
});

describe("-f FILE", () => {
  it("may be outside of the context, a symlink too, and its own ignore file wins", async () => {
    using project = new Project({ "a.txt": "A", "b.txt": "B", ".dockerignore": "b.txt\n" });
    const file = join(project.store, "..", "Outside");
    writeFileSync(file, "FROM scratch\nCOPY *.txt /\n");
    writeFileSync(`${file}.dockerignore`, "a.txt\n");
    const dest = join(project.store, "..", "out");
    await project.build({ dockerfile: file, outputs: [{ type: "local", dest }] });
    expect(readdirSync(dest)).toEqual(["b.txt"]);
    symlinkSync(file, join(project.store, "..", "Link"));
    const second = join(project.store, "..", "out2");
    await project.build({ dockerfile: join(project.store, "..", "Link"), outputs: [{ type: "local", dest: second }] });
    expect(readdirSync(second)).toEqual(["a.txt"]);
  });
});
