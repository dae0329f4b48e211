import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { openStore } from "../../../store/index.ts";
import { peekStore } from "../../../store/peek.ts";
import { storedNames } from "../../../store/image/stored-names.ts";
import { Root } from "../../../native/path.ts";
import { environmentOf, tsbuild } from "../../rig/command.ts";
import { PlainUser } from "../../rig/plain-user.ts";
import { fromBusybox, Project } from "../../rig/project.ts";
import { asStranger, reachedByStranger, strangerUid } from "../../rig/stranger.ts";
import { makeTemp } from "../../rig/temp.ts";

/** What an image may hold that somebody of the host must never reach: a setuid program, a file for all, a device. */
const dockerfile = `${fromBusybox}COPY --chmod=4755 id /suid
RUN echo x > /shared && chmod 666 /shared && mknod -m 666 /null c 1 3
RUN ! grep -E 'dir.?=/' /proc/self/mountinfo
CMD ["cat"]
`;

/** A project whose store is where everybody can come. */
function openProject(): Project {
  const project = new Project({ Dockerfile: dockerfile });
  copyFileSync("/usr/bin/id", join(project.directory, "id"));
  chmodSync(dirname(project.directory), 0o755);
  return project;
}

async function command(project: Project, ...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await tsbuild(project, words);
  expect({ words, code, stderr: code === 0 ? "" : stderr }).toEqual({ words, code: 0, stderr: "" });
  return stdout;
}

const modeOf = (path: string): string => (statSync(path).mode & 0o7777).toString(8);

/** As stores were made before they were closed. */
function openAgain(store: string): void {
  for (const name of [".", "leases", "snapshots"]) chmodSync(join(store, name), 0o711);
  for (const name of readdirSync(join(store, "snapshots"))) chmodSync(join(store, "snapshots", name), 0o711);
  chmodSync(join(store, "store.db"), 0o644);
}

/** user::rwx, user:65534:rwx, group::rwx, mask::rwx, other::r-x. @see acl(5) */
function setAcl(directory: string, kind: "access" | "default"): void {
  const rules = [
    [1, 7, -1],
    [2, 7, strangerUid],
    [4, 7, -1],
    [16, 7, -1],
    [32, 5, -1],
  ];
  const acl = Buffer.alloc(4 + 8 * rules.length);
  acl.writeUInt32LE(2);
  for (const [at, [tag = 0, rights = 0, id = -1]] of rules.entries()) {
    acl.writeUInt16LE(tag, 4 + 8 * at);
    acl.writeUInt16LE(rights, 6 + 8 * at);
    acl.writeInt32LE(id, 8 + 8 * at);
  }
  using root = Root.open(directory);
  root.setxattr(".", `system.posix_acl_${kind}`, acl);
}

describe("another user of the machine", () => {
  it("reaches nothing of root's store", async () => {
    using project = openProject();
    await command(project, "-q", "-t", "app", ".");
    expect(reachedByStranger(project.store)).toEqual([]);
    expect(readdirSync(project.store).map((name) => `${name} ${modeOf(join(project.store, name))}`)).toEqual(
      readdirSync(project.store).map(
        (name) => `${name} ${statSync(join(project.store, name)).isDirectory() ? 700 : 600}`,
      ),
    );
  });

  it("reaches nothing of a running container, and gets no rights from it where it has the container's number", async () => {
    using project = openProject();
    await command(project, "-q", "-t", "app", ".");
    const words = ["run", "-i", "app", "sh", "-c", "cp -p /suid /mine; chmod 4755 /mine; echo ready; cat"];
    const child = spawn(resolve("builder/cli/tsbuild"), words, { env: environmentOf(project) });
    const ended = once(child, "close");
    await once(child.stdout, "data");
    expect(reachedByStranger(project.store)).toEqual([]);
    child.stdin.end();
    expect((await ended)[0]).toBe(0);
    // A container of the same user: its root can be entered by way of /proc, and the kernel takes setuid for nothing there.
    const script = "echo ready; cat";
    const own = spawn(
      resolve("builder/cli/tsbuild"),
      ["run", "-i", "-u", `${strangerUid}:${strangerUid}`, "app", "sh", "-c", script],
      {
        env: environmentOf(project),
      },
    );
    const over = once(own, "close");
    await once(own.stdout, "data");
    const pids = asStranger(["sh", "-c", "grep -ls . /proc/[0-9]*/root/suid"]).stdout;
    const [root] = pids.split("\n");
    expect(root).toMatch(/^\/proc\/\d+\/root\/suid$/);
    expect(asStranger([root ?? "", "-u"]).stdout).toBe(`${strangerUid}\n`);
    own.stdin.end();
    await over;
  });

  it.each(["auto", "single"])("reaches nothing of a plain user's store (%s)", async (userns) => {
    using user = new PlainUser();
    using project = openProject();
    project.write("Dockerfile", dockerfile.replace(" && mknod -m 666 /null c 1 3", ""));
    const { code, stderr } = await user.tsbuild(project.directory, ["-q", "."], { TSBUILD_USERNS: userns });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(modeOf(user.home)).toBe("755");
    expect(reachedByStranger(join(user.home, ".local"))).toEqual([]);
    expect(reachedByStranger(user.home).filter((path) => !/\.(local|cache)$/.test(path))).toEqual([]);
    const store = join(user.home, ".local/share/tsbuild");
    for (const above of [dirname(dirname(store)), dirname(store)]) chmodSync(above, 0o755);
    openAgain(store);
    const [suid] = reachedByStranger(store).filter((path) => path.endsWith("/fs/suid"));
    expect(asStranger([suid ?? "", "-u"]).stdout).toBe(`${user.uid}\n`);
    await user.tsbuild(project.directory, ["images"], { TSBUILD_USERNS: userns });
    expect(reachedByStranger(store)).toEqual([]);
  });

  it("reaches nothing of an old store once it has been opened, and no look needs it open", async () => {
    using project = openProject();
    await command(project, "-q", "-t", "app", ".");
    openAgain(project.store);
    const [suid] = reachedByStranger(project.store).filter((path) => path.endsWith("/fs/suid"));
    expect(asStranger([suid ?? "", "-u"]).stdout).toBe("0\n");
    expect(storedNames(project.store)).toEqual(["docker.io/library/app:latest"]);
    expect(peekStore(project.store)).toBeDefined();
    await command(project, "images", "-q");
    expect(reachedByStranger(project.store)).toEqual([]);
    expect(["leases", "snapshots", "store.db"].map((name) => modeOf(join(project.store, name)))).toEqual([
      "700",
      "700",
      "600",
    ]);
    expect(asStranger([suid ?? "", "-u"]).stdout).toBe("");
  });
});

describe("a store", () => {
  it.each([
    ["setgid", 0o2755, false],
    ["default rules", 0o755, true],
    ["both", 0o2755, true],
  ])("is closed whatever the umask and %s of the directory around it say", async (_, mode, withRules) => {
    using temp = makeTemp();
    chownSync(temp.path, 0, 50);
    chmodSync(temp.path, mode);
    if (withRules) setAcl(temp.path, "default");
    const before = process.umask(0);
    try {
      const root = join(temp.path, "a/store");
      await using store = await openStore({ root });
      store.snapshots.prepare(undefined);
      expect(reachedByStranger(root)).toEqual([]);
      expect([modeOf(root), (statSync(join(temp.path, "a")).mode & 0o777).toString(8)]).toEqual(["700", "700"]);
      const [name = ""] = readdirSync(join(root, "snapshots"));
      using upper = Root.open(join(root, "snapshots", name));
      expect([upper.listxattr("fs"), modeOf(join(root, "snapshots", name, "fs"))]).toEqual([[], "755"]);
      expect(modeOf(join(root, "store.db"))).toBe("600");
    } finally {
      process.umask(before);
    }
  });

  it("has no rules of others, also where its directory was made before", async () => {
    using temp = makeTemp();
    const root = join(temp.path, "store");
    for (const [name, mode] of [
      [root, 0o700],
      [join(root, "snapshots"), 0o700],
      [join(root, "mine"), 0o750],
    ] as const) {
      mkdirSync(name, { mode });
    }
    for (const name of [root, join(root, "snapshots"), join(root, "mine")]) setAcl(name, "default");
    await using store = await openStore({ root });
    store.snapshots.prepare(undefined);
    const [name = ""] = readdirSync(join(root, "snapshots"));
    using top = Root.open(root);
    using upper = Root.open(join(root, "snapshots", name));
    const rules = [...["snapshots", "leases", "store.db"].map((part) => top.listxattr(part)), upper.listxattr("fs")];
    expect(rules).toEqual([[], [], [], []]);
    expect([top.listxattr("mine"), modeOf(join(root, "mine"))]).toEqual([["system.posix_acl_default"], "750"]);
  });

  it("that another user owns is refused, by every way to it", async () => {
    using project = openProject();
    await command(project, "-q", "-t", "app", ".");
    chownSync(project.store, 4321, 4321);
    const told = await tsbuild(project, ["images"]);
    expect(told.code).toBe(1);
    expect(told.stderr).toContain(
      `error[E_STORE_UNSAFE]: Cannot use the store in ${project.store}: user (4321) owns it\n  help: sudo -u '#4321' tsbuild ...`,
    );
    expect(storedNames(project.store)).toEqual([]);
    expect(peekStore(project.store)).toBeUndefined();
  });

  it.each([
    [
      "belongs to another user",
      (top: string) => chownSync(top, 4321, 0),
      "user (4321) owns TOP, and could replace it",
      "chown root TOP",
    ],
    [
      "everybody can write to",
      (top: string) => chmodSync(top, 0o777),
      "everybody can write to TOP, and could replace it",
      "chmod go-w TOP",
    ],
    [
      "a group can write to",
      (top: string) => {
        chownSync(top, 0, 65533);
        chmodSync(top, 0o775);
      },
      "group (65533) can write to TOP, and could replace it",
      "chmod g-w TOP",
    ],
  ] as const)("below a directory that %s is refused, and nothing is made there", async (_, spoil, message, fix) => {
    using temp = makeTemp();
    const top = join(temp.path, "top");
    mkdirSync(top);
    spoil(top);
    const root = join(top, "a/store");
    const text = (of: string): string => of.replace("TOP", top);
    await expect(openStore({ root })).rejects.toMatchObject({
      code: "E_STORE_UNSAFE",
      message: `Cannot use the store in ${root}: ${text(message)}`,
      hint: expect.stringContaining(text(fix)),
    });
    expect(readdirSync(top)).toEqual([]);
    // Sticky: others cannot exchange what is root's.
    if (statSync(top).uid !== 0) return;
    chmodSync(top, 0o1777);
    await using store = await openStore({ root });
    expect(modeOf(store.root)).toBe("700");
  });

  it("may be below what a group can write to that nobody else is in", async () => {
    using temp = makeTemp();
    chmodSync(temp.path, 0o775);
    await using store = await openStore({ root: join(temp.path, "store") });
    expect(store.root).toBe(join(temp.path, "store"));
    using user = new PlainUser();
    const script = 'umask 002; mkdir -p .local/share && stat -c %a .local && exec "$0" images -q';
    const program = join(user.home, "../tsbuild/builder/cli/tsbuild");
    expect(await user.run(user.home, ["sh", "-c", script, program])).toEqual({ code: 0, stdout: "775\n", stderr: "" });
    chownSync(join(user.home, ".local"), user.uid, 65533);
    const shared = await user.run(user.home, ["sh", "-c", script, program]);
    expect(shared.stderr).toContain(`group (65533) can write to ${user.home}/.local, and could replace it`);
    expect(shared.stderr).toContain(`help: chmod g-w ${user.home}/.local`);
  });

  it("is refused below what an access control list opens to others", async () => {
    using temp = makeTemp();
    const top = join(temp.path, "top");
    mkdirSync(top);
    setAcl(top, "access");
    chmodSync(top, 0o775);
    await expect(openStore({ root: join(top, "store") })).rejects.toMatchObject({
      code: "E_STORE_UNSAFE",
      message: `Cannot use the store in ${top}/store: an access control list lets others write to ${top}, and could replace it`,
      hint: expect.stringMatching(new RegExp(`^setfacl -b ${top} `)),
    });
    expect(readdirSync(top)).toEqual([]);
  });

  it("is not found by way of another user's link", async () => {
    using temp = makeTemp();
    chmodSync(temp.path, 0o1777);
    mkdirSync(join(temp.path, "real"));
    symlinkSync("real", join(temp.path, "link"));
    await using _own = await openStore({ root: join(temp.path, "link/store") });
    giveAway(join(temp.path, "link"));
    await expect(openStore({ root: join(temp.path, "link/store") })).rejects.toMatchObject({ code: "E_STORE_UNSAFE" });
  });

  it.each([
    ["777", 0o777],
    ["1777", 0o1777],
    ["1770", 0o1770],
  ])("may be a new volume of mode %s, but none where something is already", async (mode, bits) => {
    using temp = makeTemp();
    const [empty, full] = [join(temp.path, "empty"), join(temp.path, "full")];
    for (const path of [empty, full]) {
      mkdirSync(path);
      chownSync(path, 0, 65533);
      chmodSync(path, bits);
    }
    mkdirSync(join(empty, "lost+found"));
    writeFileSync(join(full, "store.db"), "");
    await using store = await openStore({ root: empty });
    expect(modeOf(store.root)).toBe("700");
    await expect(openStore({ root: full })).rejects.toMatchObject({
      code: "E_STORE_UNSAFE",
      message: `Cannot use the store in ${full}: ${bits === 0o1770 ? "group (65533)" : "everybody"} can write to it`,
      hint: expect.stringContaining(`chmod 700 ${full}`),
    });
    expect(modeOf(full)).toBe(mode);
    expect(() => storedNames(full)).not.toThrow();
    expect(peekStore(full)).toBeUndefined();
  });

  it("takes no directory for itself alone that holds other things", async () => {
    using temp = makeTemp();
    const root = join(temp.path, "lib");
    mkdirSync(join(root, "dpkg"), { recursive: true });
    chmodSync(root, 0o755);
    await expect(openStore({ root })).rejects.toMatchObject({
      code: "E_STORE_UNSAFE",
      message: `Cannot use ${root} for a store: others can enter it, and it holds more than that: dpkg`,
      hint: expect.stringContaining(`--root ${root}/tsbuild`),
    });
    expect([modeOf(root), readdirSync(root)]).toEqual(["755", ["dpkg"]]);
    renameSync(join(root, "dpkg"), join(root, "lost+found"));
    await using store = await openStore({ root });
    expect(modeOf(store.root)).toBe("700");
  });

  it("of a plain user below another's directory is refused before the namespace hides whose it is", async () => {
    using user = new PlainUser();
    using project = openProject();
    const theirs = join(user.home, "theirs");
    mkdirSync(theirs);
    chownSync(theirs, 1234, 1234);
    chmodSync(theirs, 0o755);
    mkdirSync(join(theirs, "store"));
    chownSync(join(theirs, "store"), user.uid, user.uid);
    const { code, stderr } = await user.tsbuild(project.directory, ["images", "--root", join(theirs, "store")]);
    expect([code, stderr]).toEqual([1, expect.stringContaining(`user (1234) owns ${theirs}, and could replace it`)]);
    // The one of root is none of a plain user's.
    const roots = await user.tsbuild(project.directory, ["images", "--root", "/var/lib"]);
    expect(roots.stderr).toContain("error[E_STORE_UNSAFE]: Cannot use the store in /var/lib: root owns it");
  });
});

/** The same link, but the other user's. */
function giveAway(link: string): void {
  renameSync(link, `${link}.old`);
  asStranger(["ln", "-s", "real", link]);
}
