import { execFileSync } from "node:child_process";
import { chmodSync, closeSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { DirStack } from "../../native/dir-stack.ts";
import { openFlags, Root } from "../../native/path.ts";
import { listTree } from "../rig/list-tree.ts";
import { Project, type Outcome } from "../rig/project.ts";

interface Fixture {
  readonly files: Readonly<Record<string, string>>;
  readonly directories: Readonly<Record<string, string>>;
  readonly links: Readonly<Record<string, string>>;
  /** `tree`: what BuildKit's copy (fsutil) makes of the flags over `base/`. */
  readonly cases: readonly { readonly copy: string; readonly tree: readonly string[] }[];
}

const fixture: Fixture = JSON.parse(readFileSync(join(import.meta.dirname, "../fixtures/copy-trees.json"), "utf8"));

/** The fixture's files, and a Dockerfile. */
function makeProject(dockerfile: string): Project {
  const project = new Project({ Dockerfile: dockerfile });
  const path = (name: string): string => join(project.directory, name);
  for (const [name, mode] of Object.entries(fixture.files)) {
    project.write(name, name);
    chmodSync(path(name), Number.parseInt(mode, 8));
  }
  project.write("src/empty/x", "");
  project.remove("src/empty/x");
  for (const [name, mode] of Object.entries(fixture.directories)) chmodSync(path(name), Number.parseInt(mode, 8));
  for (const [name, target] of Object.entries(fixture.links)) symlinkSync(target, path(name));
  return project;
}

async function buildTree(project: Project): Promise<{ readonly tree: readonly string[]; readonly outcome: Outcome }> {
  const dest = join(project.store, "..", "out");
  const outcome = await project.build({ outputs: [{ type: "local", dest }] });
  return { outcome, tree: outcome.error === undefined ? listTree(dest) : [] };
}

/** `created_by` of the image's last line of history. */
async function lastHistory(project: Project): Promise<unknown> {
  const dest = join(project.store, "..", "layout");
  await project.build({ outputs: [{ type: "oci", dest, tar: false }] });
  const blob = (digest: string): string => readFileSync(join(dest, "blobs", digest.replace(":", "/")), "utf8");
  const index: { manifests: readonly { digest: string }[] } = JSON.parse(
    readFileSync(join(dest, "index.json"), "utf8"),
  );
  const manifest: { config: { digest: string } } = JSON.parse(blob(index.manifests[0]?.digest ?? ""));
  const config: { history: readonly { created_by: string }[] } = JSON.parse(blob(manifest.config.digest));
  return config.history.at(-1)?.created_by;
}

/** Directories in each other, the last of which has a file `f`. */
function deepPath(directory: string, depth: number): void {
  using start = Root.open(directory);
  using dirs = new DirStack(start);
  while (dirs.depth < depth) {
    if (dirs.top.stat("a") === undefined) dirs.top.mkdir("a", 0o755);
    dirs.push("a");
  }
  closeSync(dirs.top.openFile("f", openFlags.createNew, 0o644));
}

const reasons = ({ events }: Outcome): readonly string[] =>
  events.flatMap((event) => (event.kind === "miss" ? event.reasons : []));
const cachedAll = ({ result }: Outcome): boolean => result !== undefined && result.steps.cached === result.steps.total;

describe("COPY makes the tree that BuildKit makes", () => {
  it.each(fixture.cases)("$copy", async ({ copy, tree }) => {
    using project = makeProject(`FROM scratch\nCOPY base/ /\nCOPY ${copy}\n`);
    const made = await buildTree(project);
    expect(made.outcome.error).toBeUndefined();
    expect(made.tree.toSorted()).toEqual(tree.toSorted());
  });

  it.each(fixture.cases.filter(({ copy }) => /parents|exclude/.test(copy)))("from a stage: $copy", async (one) => {
    using project = makeProject(
      `FROM scratch AS files\nCOPY src/ /src/\nFROM scratch\nCOPY base/ /\nCOPY --from=files ${one.copy}\n`,
    );
    chmodSync(join(project.directory, "src"), 0o755);
    const made = await buildTree(project);
    expect(made.outcome.error).toBeUndefined();
    expect(made.tree.toSorted()).toEqual(one.tree.toSorted());
  });

  it("has its flags and words in history as BuildKit writes them", async () => {
    using project = makeProject(
      "FROM scratch\nARG M=u=rwX,go=rX\nARG X=docs\nCOPY --parents --chmod=$M --exclude=src/$X/* --exclude=*.x ./src/root.txt src/docs /n/\n",
    );
    const { outcome, tree } = await buildTree(project);
    expect(outcome.error).toBeUndefined();
    expect(tree).toEqual(["0755 0:0 n/", "0755 0:0 n/src/", "0755 0:0 n/src/docs/", "0644 0:0 n/src/root.txt"]);
    expect(await lastHistory(project)).toBe(
      "COPY --parents --chmod=u=rwX,go=rX ./src/root.txt src/docs /n/ # buildkit",
    );
  });
});

describe("COPY refuses, at its place", () => {
  const cases: readonly (readonly [string, string, { code: string; column: number; message?: RegExp }])[] = [
    ["an octal mode that is too large", "COPY --chmod=10000 src/root.txt /", { code: "E_CHMOD_INVALID", column: 6 }],
    ["digits that are not octal", "COPY --chmod=64a src/root.txt /", { code: "E_CHMOD_INVALID", column: 6 }],
    ["a mode without an operator", "ADD --chmod=u src/root.txt /", { code: "E_CHMOD_INVALID", column: 5 }],
    ["a mode with an unknown letter", "COPY --chmod=u=rq src/root.txt /", { code: "E_CHMOD_INVALID", column: 6 }],
    ["a mode with an empty part", "COPY --chmod=u+x, src/root.txt /", { code: "E_CHMOD_INVALID", column: 6 }],
    ["an open bracket in --exclude", "COPY --exclude=a[ src/ /", { code: "E_PATTERN_INVALID", column: 6 }],
    ["--exclude=! alone", "COPY --exclude=! src/ /", { code: "E_PATTERN_INVALID", column: 6 }],
    ["an open bracket with --parents", "COPY --parents src/a[ /", { code: "E_PATTERN_INVALID", column: 16 }],
    ["--parents of everything", "COPY --parents . /x/", { code: "E_COPY_PARENTS", column: 16 }],
    ["--parents with nothing behind the pivot", "COPY --parents src/./ /x/", { code: "E_COPY_PARENTS", column: 16 }],
    ["a missing path with --parents", "COPY --parents src/missing /x/", { code: "E_COPY_NOT_FOUND", column: 1 }],
    [
      "a missing path behind the pivot",
      "COPY --parents src/./docs/missing.md /x/",
      { code: "E_COPY_NOT_FOUND", column: 1, message: /src\/docs\/missing\.md/ },
    ],
    [
      "a path that --exclude leaves out",
      "COPY --parents --exclude=**/*.md src/docs/guide.md /x/",
      { code: "E_COPY_NOT_FOUND", column: 1 },
    ],
    [
      "a missing directory before the pivot",
      "COPY --parents nowhere/./*.md /x/",
      { code: "E_COPY_NOT_FOUND", column: 1 },
    ],
    ["--unpack for COPY", "COPY --unpack=true src/root.txt /", { code: "E_FLAG_UNKNOWN", column: 6 }],
    ["--parents for ADD", "ADD --parents src/root.txt /", { code: "E_FLAG_UNKNOWN", column: 5 }],
    ["--parents=yes", "COPY --parents=yes src/root.txt /", { code: "E_DOCKERFILE_SYNTAX", column: 6 }],
    ["--exclude without a value", "COPY --exclude src/root.txt /", { code: "E_DOCKERFILE_SYNTAX", column: 6 }],
    ["--chmod given twice", "COPY --chmod=1 --chmod=2 src/root.txt /", { code: "E_DOCKERFILE_SYNTAX", column: 16 }],
    ["several sources onto one file", "COPY src/root.txt src/root.txt /x", { code: "E_COPY_DEST", column: 1 }],
    ["a directory onto a file", "COPY --parents src/./docs /out/root.txt", { code: "E_COPY_TARGET", column: 1 }],
  ];
  it.each(cases)("%s", async (_name, line, { code, column, message }) => {
    using project = makeProject(`FROM scratch\nCOPY base/ /\n${line}\n`);
    const { error } = await project.build();
    expect(error).toMatchObject({ code, location: { start: { line: 3, column } } });
    if (message !== undefined) expect(String(error)).toMatch(message);
  });

  it.each(["out", "out/file", "./way/../out"])(
    "a symlink that leads nowhere in its source, and says so: %s",
    async (path) => {
      using project = new Project({ Dockerfile: `FROM scratch\nCOPY ${path} /x\n` });
      mkdirSync(join(project.directory, "way"));
      symlinkSync("/etc/passwd", join(project.directory, "out"));
      const { error } = await project.build();
      expect(error).toMatchObject({
        code: "E_COPY_NOT_FOUND",
        notes: ['/out is a symlink to "/etc/passwd", and the build context has nothing there'],
      });
    },
  );
});

describe("ADD", () => {
  const project = (line: string): Project => {
    const made = makeProject(`FROM scratch\n${line}\n`);
    execFileSync("tar", ["-C", "src/docs", "--owner=11", "--group=12", "-czf", "a.tgz", "guide.md"], {
      cwd: made.directory,
    });
    chmodSync(join(made.directory, "a.tgz"), 0o600);
    return made;
  };

  it.each([
    ["ADD a.tgz /n/", ["0755 0:0 n/", "0644 11:12 n/guide.md"]],
    ["ADD --unpack a.tgz /n/", ["0755 0:0 n/", "0644 11:12 n/guide.md"]],
    ["ADD --unpack=true --chown=3:4 --chmod=700 a.tgz /n/", ["0755 3:4 n/", "0644 3:4 n/guide.md"]],
    ["ADD --unpack=false a.tgz /n/", ["0755 0:0 n/", "0600 0:0 n/a.tgz"]],
    ["ADD --unpack=false --chown=3 --chmod=u+x a.tgz /n/", ["0755 3:3 n/", "0700 3:3 n/a.tgz"]],
    ["ADD --exclude=*.tgz a.* /n/", ["0755 0:0 n/", "0644 11:12 n/guide.md"]],
  ])("%s", async (line, tree) => {
    using made = project(line);
    const { outcome, tree: got } = await buildTree(made);
    expect(outcome.error).toBeUndefined();
    expect(got).toEqual(tree);
  });
});

describe("a wildcard", () => {
  const none = {
    Dockerfile: "",
    "c/a.txt": "a",
    "all/x.txt": "x",
    "all/y.txt": "y",
    ".dockerignore": "all/*.txt\nsome\n!some/no",
  };
  const refused: readonly (readonly [string, string])[] = [
    ["missing/*.txt", "/missing"],
    ["c/a.txt/*", "/c/a.txt/*"],
    ["all/*.txt", "/all/*.txt"],
    ["some/*", "/some"],
    ["c/*.conf", "/c/b.conf"],
    ["c/l*", "/c/link"],
  ];
  it.each(refused)("is told of what it does not find: %s", async (path, name) => {
    using project = new Project({ ...none, Dockerfile: `FROM scratch\nCOPY ${path} /x/\n`, "some/f": "" });
    symlinkSync("nowhere", join(project.directory, "c/b.conf"));
    symlinkSync("../all/x.txt", join(project.directory, "c/link"));
    const { error } = await project.build();
    expect(error).toMatchObject({ code: "E_COPY_NOT_FOUND", message: `Cannot find ${name} in the build context` });
  });

  it("that matches nothing copies nothing, and does without what is hidden", async () => {
    using project = new Project({ ...none, Dockerfile: "FROM scratch\nCOPY c/none* som[e] c/a* /x/\n", "some/f": "" });
    expect((await buildTree(project)).tree).toEqual(["0755 0:0 x/", "0644 0:0 x/a.txt"]);
  });
});

it("a directory of which an ignore file hides everything is not there", async () => {
  using project = new Project({ Dockerfile: "FROM scratch\nCOPY d /x\n", "d/f": "", ".dockerignore": "d\n!d/g\n" });
  expect((await project.build()).error).toMatchObject({ code: "E_COPY_NOT_FOUND" });
});

it("a path of 1,500 directories is copied, from the context and from a stage", async () => {
  using project = new Project({
    Dockerfile: "FROM scratch AS a\nCOPY d /x\nFROM scratch\nCOPY --from=a / /\nCOPY --exclude=*.no d /y\n",
  });
  mkdirSync(join(project.directory, "d"));
  deepPath(join(project.directory, "d"), 1500);
  const dest = join(project.store, "..", "o.tar");
  expect((await project.build({ outputs: [{ type: "tar", dest }] })).error).toBeUndefined();
  const listed = execFileSync("tar", ["-tf", dest], { maxBuffer: 64 << 20, encoding: "utf8" });
  expect(listed.split("\n").filter((line) => line.endsWith("/f"))).toHaveLength(2);
  expect(cachedAll(await project.build())).toBe(true);
  deepPath(join(project.directory, "d"), 3000);
  expect((await project.build()).error).toMatchObject({ code: "E_PATH_TOO_LONG" });
  using root = Root.open(project.directory);
  root.removeTree("d");
});

it.each(["xz", "bzip2"])("ADD runs %s without a variable of the caller", async (program) => {
  using project = new Project({ Dockerfile: "FROM scratch\nADD a.tar /n/\n", "f/x": "1" });
  execFileSync("tar", ["-C", "f", `--${program}`, "-cf", "a.tar", "x"], { cwd: project.directory });
  vi.stubEnv("XZ_OPT", "--no-such-option");
  vi.stubEnv("BZIP2", "--no-such-option");
  const { outcome, tree } = await buildTree(project);
  vi.unstubAllEnvs();
  expect(outcome.error).toBeUndefined();
  expect(tree).toHaveLength(2);
});

describe("the key of a COPY", () => {
  it("has its flags: each change is a miss that is explained by the flag's name", async () => {
    using project = makeProject("");
    const build = async (flags: string): Promise<Outcome> => {
      project.write("Dockerfile", `FROM scratch\nCOPY ${flags} src/packages /p/\n`);
      return await project.build();
    };
    await build("--chmod=755");
    expect(reasons(await build("--chmod=a+x"))).toEqual(["--chmod 755 -> a+x"]);
    expect(reasons(await build("--chmod=a+x --exclude=b"))).toContain("--exclude added: b");
    expect(reasons(await build("--chmod=a+x --exclude=b --exclude=a"))).toContain("--exclude b -> b a");
    expect(reasons(await build("--exclude=b --exclude=a --chown=1"))).toContain("--chown added: 1");
    expect(reasons(await build("--parents"))).toContain("--parents added: true");
    expect(cachedAll(await build("--parents"))).toBe(true);
    expect(reasons(await build("--parents --link"))).toContain("--link added: true");
  });

  it("does not know files that a flag leaves out", async () => {
    using project = makeProject(
      "FROM scratch\nCOPY --exclude=**/*.md src/ /all/\nCOPY --parents src/**/package.json /p/\n",
    );
    await project.build();
    project.write("src/docs/guide.md", "changed");
    project.write("src/packages/b/new.md", "new");
    expect(cachedAll(await project.build())).toBe(true);
    project.write("src/packages/a/package.json", "changed");
    expect(reasons(await project.build())).toContain("src/packages/a/package.json changed");
  });

  it("has the directories that are copied for what an ignore file shows below them", async () => {
    using project = makeProject("FROM scratch\nCOPY --exclude=**/*.json src/packages /p/\n");
    project.write(".dockerignore", "src/packages/b\n!src/packages/b/package.json\n");
    const { tree } = await buildTree(project);
    expect(tree).toContain("0700 0:0 p/b/");
    chmodSync(join(project.directory, "src/packages/b"), 0o711);
    const again = await buildTree(project);
    expect(again.tree).toContain("0711 0:0 p/b/");
  });

  it("leads two cold builds to one digest", async () => {
    using project = makeProject(
      "FROM scratch\nCOPY --parents src/**/package.json /p/\nCOPY --exclude=*.md --chmod=u=rwX,go=rX src/docs /d\n",
    );
    const cold = { noCache: true, sourceDateEpoch: 1_700_000_000 } as const;
    const [first, second] = [await project.build(cold), await project.build(cold)];
    expect(first.error).toBeUndefined();
    expect(second.result?.manifestDigest).toBe(first.result?.manifestDigest);
  });
});
