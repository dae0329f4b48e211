import { mkdirSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listTree } from "../rig/list-tree.ts";
import { Project } from "../rig/project.ts";

/** What the steps of a stage over `base/` make: entries that base has not, or has otherwise. */
type Trees = Readonly<Record<string, readonly [steps: string, tree: readonly string[]]>>;

const base = {
  "base/file": "file",
  "base/dir/old": "old",
  "base/etc/passwd": "root:x:0:0::/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n",
  "base/etc/group": "root:x:0:\napp:x:1001:\nextra:x:2000:app\n",
};
const links = { link: "dir", filelink: "file", dangling: "/target", escape: "../../../..", loop: "loop" };
const context = { f: "f", g: "g", "d/1": "1", "d/sub/2": "2", "e/3": "3", ".hidden": "h", "a.txt": "a", "b.txt": "b" };

function openProject(): Project {
  const project = new Project({ ...base, ...context });
  for (const [name, target] of Object.entries(links)) symlinkSync(target, join(project.directory, "base", name));
  symlinkSync("f", join(project.directory, "fl"));
  symlinkSync("d", join(project.directory, "dl"));
  symlinkSync("nowhere", join(project.directory, "d/dead"));
  mkdirSync(join(project.directory, "empty"));
  return project;
}

const copied: Trees = {
  "several files to a directory that is there": ["COPY f g /dir", ["0644 0:0 dir/f", "0644 0:0 dir/g"]],
  "several files to a link to a directory": ["COPY f g /link", ["0644 0:0 dir/f", "0644 0:0 dir/g"]],
  "several files to WORKDIR": ["WORKDIR /w\nCOPY f g /w", ["0755 0:0 w/", "0644 0:0 w/f", "0644 0:0 w/g"]],
  "several directories to a new one": [
    "COPY e d /n",
    [
      "0755 0:0 n/",
      "0644 0:0 n/1",
      "0644 0:0 n/3",
      "link 0:0 n/dead -> nowhere",
      "0755 0:0 n/sub/",
      "0644 0:0 n/sub/2",
    ],
  ],
  "a directory, then a file": ["COPY e f /n", ["0755 0:0 n/", "0644 0:0 n/3", "0644 0:0 n/f"]],
  "the same file twice": ["COPY f ./f /n/", ["0755 0:0 n/", "0644 0:0 n/f"]],
  "files of a pattern to one name": ["COPY ?.txt /n", ["0644 0:0 n"]],
  "nothing that a pattern matches": ["COPY nope* /n/", []],
  "a directory, written in three ways": [
    "COPY e/ /x\nCOPY e /y/\nCOPY e/. /z",
    ["0755 0:0 x/", "0644 0:0 x/3", "0755 0:0 y/", "0644 0:0 y/3", "0755 0:0 z/", "0644 0:0 z/3"],
  ],
  "an empty directory": ["COPY empty /n", ["0755 0:0 n/"]],
  "a file above the context": ["COPY ../../f /x\nCOPY /f /y", ["0644 0:0 x", "0644 0:0 y"]],
  "a hidden file by a pattern": ["COPY .h* /n/", ["0755 0:0 n/", "0644 0:0 n/.hidden"]],
  "through links of the context": [
    "COPY fl /x\nCOPY dl/1 /y\nCOPY dl /z/",
    [
      "0644 0:0 x",
      "0644 0:0 y",
      "0755 0:0 z/",
      "0644 0:0 z/1",
      "link 0:0 z/dead -> nowhere",
      "0755 0:0 z/sub/",
      "0644 0:0 z/sub/2",
    ],
  ],
  "to a link to a file": ["COPY f /filelink", ["0644 0:0 file"]],
  "to a link to nothing": ["COPY f /dangling", ["0644 0:0 target"]],
  "into a link to nothing": ["COPY f /dangling/", ["0755 0:0 target/", "0644 0:0 target/f"]],
  "into a link that leads out": ["COPY f /escape/x/y", ["0755 0:0 x/", "0644 0:0 x/y"]],
  "to a path with dots": ["COPY f /n/../m/./x", ["0755 0:0 m/", "0644 0:0 m/x"]],
  "from scratch": ["COPY --from=scratch / /n/", ["0755 0:0 n/"]],
  "from a stage without a file": ["COPY --from=nothing . /n/", ["0755 0:0 n/"]],
  "owners by name": [
    "COPY --chown=app f /a\nCOPY --chown=app: f /b\nCOPY --chown=app:extra f /c\nCOPY --chown=:extra f /d\nCOPY --chown=root f /e\nCOPY --chown=app:root f /f",
    ["1000:1001 a", "1000:0 b", "1000:2000 c", "0:2000 d", "0:0 e", "1000:0 f"].map((line) => `0644 ${line}`),
  ],
  "owners by number": [
    "COPY --chown=1000 f /a\nCOPY --chown=5: f /b\nCOPY --chown=05:extra f /c\nCOPY --chown=4294967294 f /d",
    ["1000:1000 a", "5:0 b", "5:2000 c", "4294967294:4294967294 d"].map((line) => `0644 ${line}`),
  ],
  "owners of what is made on the way": [
    "COPY --chown=app f /n/m/f",
    ["0755 1000:1001 n/", "0755 1000:1001 n/m/", "0644 1000:1001 n/m/f"],
  ],
  "a heredoc with its rules": [
    "COPY --chown=app --chmod=750 <<x /n/\n1\nx",
    ["0750 1000:1001 n/", "0750 1000:1001 n/x"],
  ],
  "the user has nothing to do with it": ["USER app\nCOPY f /n", ["0644 0:0 n"]],
};

const worked: Trees = {
  "a path": ["WORKDIR /n/m", ["0755 0:0 n/", "0755 0:0 n/m/"]],
  "through a link": ["WORKDIR /link/n\nCOPY f .", ["0755 0:0 dir/n/", "0644 0:0 dir/n/f"]],
  "a link to nothing": ["WORKDIR /dangling/n", ["0755 0:0 target/", "0755 0:0 target/n/"]],
  "a link that leads out": ["WORKDIR /escape/n", ["0755 0:0 n/"]],
  "of a user": ["USER app\nWORKDIR /n\nWORKDIR m", ["0755 1000:1001 n/", "0755 1000:1001 n/m/"]],
  "of numbers": ["USER 5:6\nWORKDIR /n", ["0755 5:6 n/"]],
  "of a number alone": ["USER 5\nWORKDIR /n", ["0755 5:5 n/"]],
  "of a group": ["USER :extra\nWORKDIR /n", ["0755 0:2000 n/"]],
  "of a user with a colon": ["USER app:\nWORKDIR /n", ["0755 1000:0 n/"]],
  "of a user who is not there": ["USER nobody\nWORKDIR /n", ["0755 0:0 n/"]],
  "of a user who comes late": ["USER app\nWORKDIR /dir\nWORKDIR n", ["0755 1000:1001 dir/n/"]],
};

describe.each([
  ["COPY", copied],
  ["WORKDIR", worked],
])("%s makes what BuildKit makes of", (_name, trees) => {
  const project = openProject();
  const out = join(project.directory, "..", "out");
  let before: readonly string[];

  // All in one build: a stage for each.
  beforeAll(async () => {
    const stages = Object.values(trees).map(([steps], at) => `FROM base AS s${at}\n${steps}\n`);
    const gather = ["base", ...stages.keys()].map((at) => `COPY --from=${at === "base" ? at : `s${at}`} / /${at}/\n`);
    project.write(
      "Dockerfile",
      `FROM scratch AS nothing\nFROM scratch AS base\nCOPY base/ /\n${stages.join("")}FROM scratch\n${gather.join("")}`,
    );
    const { error } = await project.build({ outputs: [{ type: "local", dest: out }] });
    expect(error).toBeUndefined();
    before = listTree(join(out, "base"));
  });
  afterAll(() => project[Symbol.dispose]());

  it.each(Object.entries(trees))("%s", (name, [, tree]) => {
    const at = Object.keys(trees).indexOf(name);
    const made = listTree(join(out, String(at))).filter((line) => !before.includes(line));
    // A file of base may have got other content, which no line shows.
    expect(made).toEqual(tree.filter((line) => !before.includes(line)));
  });
});

describe("a Dockerfile is refused, at its place", () => {
  const project = openProject();
  project.write(".dockerignore", "# comment\n.hidden\nd/*\n!d/1\n");
  afterAll(() => project[Symbol.dispose]());

  const refused: readonly (readonly [steps: string, code: string, line: number, ...told: readonly string[]])[] = [
    ["COPY ff /x", "E_COPY_NOT_FOUND", 4, "Cannot find /ff", "did you mean f"],
    ["COPY f \\\n  gg /x/", "E_COPY_NOT_FOUND", 4, "/gg", "did you mean g"],
    ["COPY --from=files /etc/passwrd /x", "E_COPY_NOT_FOUND", 4, "/etc/passwrd", "did you mean passwd?"],
    ["COPY --from=scratch /f /x", "E_COPY_NOT_FOUND", 4, "/f"],
    ["COPY .hidden /x", "E_COPY_NOT_FOUND", 4, ".dockerignore line 2: .hidden", "!.hidden"],
    ["COPY d/sub/2 /x", "E_COPY_NOT_FOUND", 4, ".dockerignore line 3: d/*"],
    ["COPY f g /x", "E_COPY_DEST", 4, "several sources", "/x/"],
    ["COPY f g /file", "E_COPY_DEST", 4, "/file/"],
    ["COPY f <<g /x\ng", "E_COPY_DEST", 4],
    ["COPY f /loop/x", "E_SYMLINK_LOOP", 4],
    ["COPY f /file/x", "E_COPY_TARGET", 4, "/file"],
    ["COPY d /file", "E_COPY_TARGET", 4, "/file"],
    ["COPY f /x/f/\nCOPY f /x", "E_COPY_TARGET", 5, "/x/f"],
    ["WORKDIR /loop/x", "E_SYMLINK_LOOP", 4],
    ["WORKDIR /file/x", "E_COPY_TARGET", 4, "/file"],
    ["COPY --chown=nobody f /x", "E_USER_NOT_FOUND", 4, "nobody", "root, app"],
    ["COPY --chown=app:nogroup f /x", "E_GROUP_NOT_FOUND", 4, "nogroup"],
    ["COPY --chown=4294967295 f /x", "E_USER_NOT_FOUND", 4],
    ["COPY --chown=-1 f /x", "E_USER_NOT_FOUND", 4],
    ["RUN --mount=target=/m,source=ff true", "E_COPY_NOT_FOUND", 4, "ff"],
  ];
  it.each(refused)("%j: %s", async (steps, code, line, ...told) => {
    project.write("Dockerfile", `FROM scratch AS files\nCOPY base/ /\nFROM files\n${steps}\n`);
    const { error } = await project.build();
    expect(error).toMatchObject({ code, location: { start: { line } } });
    const { message, hint = "", notes = [] } = error as { message: string; hint?: string; notes?: readonly string[] };
    for (const text of told) expect([message, hint, ...notes].join("\n")).toContain(text);
  });
});

it("copies a socket of a context as an empty file", async () => {
  using project = new Project({ Dockerfile: "FROM scratch\nCOPY s /\nCOPY . /d/\n", ".dockerignore": "busybox\n" });
  const server = createServer().listen(join(project.directory, "s"));
  const dest = join(project.directory, "..", "out");
  const { error } = await project.build({ outputs: [{ type: "local", dest }] });
  server.close();
  expect(error).toBeUndefined();
  expect(listTree(dest).map((line) => line.replace(/^\d+ /, ""))).toEqual([
    "0:0 d/",
    "0:0 d/.dockerignore",
    "0:0 d/Dockerfile",
    "0:0 d/s",
    "0:0 s",
  ]);
});
