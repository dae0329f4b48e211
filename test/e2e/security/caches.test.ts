import {
  chmodSync,
  chownSync,
  copyFileSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { userCache } from "../../../builder/cli/host/user-cache.js";
import { userKnownHosts } from "../../../builder/inputs/source/git/known-hosts.ts";
import { runHelper } from "../../../registry/credentials/helper.ts";
import { tsbuildWith, type Ended } from "../../rig/command.ts";
import { PlainUser } from "../../rig/plain-user.ts";
import { Project } from "../../rig/project.ts";
import { makeTemp } from "../../rig/temp.ts";

/** Asks in a process of its own, for the home is the process's. */
function cacheAt(home: string, uid = 0): string {
  const script = `import { userCache } from ${JSON.stringify(resolve("builder/cli/host/user-cache.js"))};
    process.setgroups([]); process.setegid(${uid}); process.seteuid(${uid});
    console.log(userCache({}, "modules") ?? "none");`;
  const words = ["--input-type=module", "-e", script];
  const { stdout, stderr } = spawnSync(process.execPath, words, { env: { HOME: home }, encoding: "utf8" });
  return stdout.trim() || stderr;
}

const stranger = 4321;

describe("the cache of compiled code", () => {
  it("is made for this user alone, in a home of its own", () => {
    using temp = makeTemp();
    chmodSync(temp.path, 0o755);
    const home = join(temp.path, "home");
    mkdirSync(home);
    const cache = join(home, ".cache/tsbuild/modules");
    expect(cacheAt(home)).toBe(cache);
    expect(
      [".cache", ".cache/tsbuild", ".cache/tsbuild/modules"].map((name) => statSync(join(home, name)).mode & 0o777),
    ).toEqual([0o700, 0o700, 0o700]);
    expect(cacheAt(join(temp.path, "nosuch"))).toBe("none");
    expect(readdirSync(temp.path)).toEqual(["home"]);
    const theirs = join(temp.path, "theirs");
    mkdirSync(theirs);
    chownSync(theirs, stranger, stranger);
    expect(cacheAt(theirs, stranger)).toBe(join(theirs, ".cache/tsbuild/modules"));
  });

  it("is none in the home of another user, where nothing is made either", () => {
    using temp = makeTemp();
    chownSync(temp.path, stranger, stranger);
    expect(cacheAt(temp.path)).toBe("none");
    expect(userCache({ XDG_CACHE_HOME: temp.path }, "modules")).toBeUndefined();
    expect(readdirSync(temp.path)).toEqual([]);
  });

  const spoiled: readonly (readonly [string, (home: string, aside: string) => void])[] = [
    [".cache is another user's", (home) => chownSync(join(home, ".cache"), stranger, stranger)],
    [
      ".cache is for a group",
      (home) => {
        chownSync(join(home, ".cache"), 0, 65533);
        chmodSync(join(home, ".cache"), 0o770);
      },
    ],
    [".cache is for all", (home) => chmodSync(join(home, ".cache"), 0o777)],
    ["the home is for all", (home) => chmodSync(home, 0o777)],
    ["tsbuild's is another user's", (home) => chownSync(join(home, ".cache/tsbuild"), stranger, stranger)],
    ["its last part is another user's", (home) => chownSync(join(home, ".cache/tsbuild/modules"), stranger, stranger)],
    ["others can enter it", (home) => chmodSync(join(home, ".cache/tsbuild/modules"), 0o755)],
    [
      "a link leads to another user's directory",
      (home, aside) => {
        renameSync(join(home, ".cache"), join(aside, "cache"));
        symlinkSync(join(aside, "cache"), join(home, ".cache"));
        chownSync(aside, stranger, stranger);
      },
    ],
    [
      "the link is another user's",
      (home) => {
        renameSync(join(home, ".cache"), join(home, "cache"));
        symlinkSync("cache", join(home, ".cache"));
        lchownSync(join(home, ".cache"), stranger, stranger);
      },
    ],
  ];
  it.each(spoiled)("is none where %s", (_, spoil) => {
    using temp = makeTemp();
    const [home, aside] = [join(temp.path, "home"), join(temp.path, "aside")];
    mkdirSync(home);
    mkdirSync(aside);
    expect(cacheAt(home)).toBe(join(home, ".cache/tsbuild/modules"));
    spoil(home, aside);
    expect(cacheAt(home)).toBe("none");
  });

  it("is none of another user's, however fast that one exchanges what is there", async () => {
    using temp = makeTemp();
    chmodSync(temp.path, 0o1777);
    const [real, home] = [join(temp.path, "real"), join(temp.path, "home")];
    mkdirSync(real);
    expect(cacheAt(real)).toBe(join(real, ".cache/tsbuild/modules"));
    // "home" is now the other user's directory, now their link to root's home, now nothing.
    const script = `const { mkdirSync, renameSync, rmdirSync, symlinkSync, unlinkSync } = require("node:fs");
      process.chdir(${JSON.stringify(temp.path)}); process.setgroups([]); process.setgid(${stranger}); process.setuid(${stranger});
      const swap = () => {
        for (let n = 0; n < 100; n++) {
          mkdirSync("home"); rmdirSync("home"); symlinkSync("real", "home"); unlinkSync("home");
        }
        setImmediate(swap);
      };
      swap(); console.log("swapping"); process.stdin.resume().on("end", () => process.exit());`;
    const racer = spawn(process.execPath, ["-e", script], { stdio: ["pipe", "pipe", "inherit"] });
    const ended = once(racer, "close");
    await once(racer.stdout, "data");
    const before = process.env["HOME"];
    try {
      const seen = new Set<string>();
      for (let tries = 0; tries < 2000 || seen.size < 2; tries++) {
        process.env["HOME"] = home;
        expect(userCache({}, "modules")).toBeUndefined();
        expect(userCache({ XDG_CACHE_HOME: join(home, ".cache") }, "modules")).toBeUndefined();
        seen.add(String(lstatSync(home, { throwIfNoEntry: false })?.mode));
      }
    } finally {
      if (before === undefined) delete process.env["HOME"];
      else process.env["HOME"] = before;
      racer.stdin.end();
      await ended;
    }
    expect(readdirSync(real)).toEqual([".cache"]);
  });

  it("of a plain user is that of its namespace too", async () => {
    using user = new PlainUser();
    for (const words of [["images"], ["images"]])
      expect(await user.tsbuild(user.home, words)).toMatchObject({ code: 0 });
    const [version = ""] = readdirSync(join(user.home, ".cache/tsbuild/modules"));
    expect(version).toMatch(/^v\d+/);
    chownSync(join(user.home, ".cache"), 1234, 1234);
    chmodSync(join(user.home, ".cache"), 0o755);
    const environment = await user.tsbuild(user.home, ["unshare", "env"]);
    expect(environment.stdout).toContain("NODE_DISABLE_COMPILE_CACHE=1\n");
  });
});

describe("programs that are loaded", () => {
  it("are those of this package, and none beside a checkout or in the home", () => {
    using temp = makeTemp();
    const root = join(temp.path, "tsbuild");
    mkdirSync(join(root, "builder/cli"), { recursive: true });
    copyFileSync("builder/cli/tsbuild", join(root, "builder/cli/tsbuild"));
    mkdirSync(join(temp.path, ".bin"));
    copyFileSync("/bin/echo", join(temp.path, ".bin/node"));
    const start = (directory: string): string =>
      spawnSync(join(directory, "builder/cli/tsbuild"), ["x"], { env: { PATH: "/nosuch" }, encoding: "utf8" }).stderr;
    expect(start(root)).toContain("E_NODE_TOO_OLD");
    renameSync(temp.path, `${temp.path}-node_modules`);
    mkdirSync(temp.path);
    renameSync(`${temp.path}-node_modules`, join(temp.path, "node_modules"));
    expect(start(join(temp.path, "node_modules/tsbuild"))).toBe("");
  });

  it("come from no directory that only the home or NODE_PATH names", () => {
    using temp = makeTemp();
    const planted = join(temp.path, ".node_modules/planted");
    mkdirSync(planted, { recursive: true });
    writeFileSync(join(planted, "index.js"), "");
    const script = `import { createRequire } from "node:module";
      import { installedFile } from ${JSON.stringify(resolve("native/package-file.ts"))};
      console.log(createRequire("/x.js").resolve("planted"), installedFile("planted", "index.js"), installedFile("koffi", "package.json"));`;
    const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      env: { HOME: temp.path, NODE_PATH: join(temp.path, ".node_modules") },
      encoding: "utf8",
    });
    expect(stdout).toBe(`${planted}/index.js undefined ${resolve("node_modules/koffi/package.json")}\n`);
  });

  it("are no credential helpers of the directory that this process works in", async () => {
    using temp = makeTemp();
    const helper = join(temp.path, "docker-credential-here");
    writeFileSync(helper, "#!/bin/sh\necho '{}'\n", { mode: 0o755 });
    const run = { program: "docker-credential-here", verb: "get", input: "" } as const;
    const before = process.cwd();
    process.chdir(temp.path);
    try {
      for (const PATH of [".:/usr/bin:/bin", ":/usr/bin:/bin", "/usr/bin:/bin:"])
        expect(await runHelper({ ...run, env: { PATH } })).toEqual({ kind: "missing" });
      const answer = await runHelper({ ...run, env: { PATH: `${temp.path}:/usr/bin:/bin` } });
      expect(answer).toEqual({ kind: "done", output: "{}\n" });
    } finally {
      process.chdir(before);
    }
  });
});

describe("a user's configuration", () => {
  it("of known hosts is this user's", () => {
    using temp = makeTemp();
    const file = join(temp.path, ".ssh/known_hosts");
    expect(userKnownHosts(temp.path)).toEqual([file]); // ssh makes what is missing
    mkdirSync(join(temp.path, ".ssh"));
    writeFileSync(file, "");
    expect(userKnownHosts(temp.path)).toEqual([file]);
    chownSync(temp.path, stranger, stranger);
    expect([userKnownHosts(temp.path), userKnownHosts("home"), userKnownHosts(undefined)]).toEqual([[], [], []]);
  });

  it("is root's or this user's, or an error that says whose it is", async () => {
    using project = new Project({});
    using temp = makeTemp();
    chmodSync(temp.path, 0o755);
    mkdirSync(join(temp.path, ".config/tsbuild"), { recursive: true });
    const file = join(temp.path, ".config/tsbuild/config.json");
    writeFileSync(file, '{ "progress": "plain" }');
    const images = async (): Promise<Ended> => await tsbuildWith(project, ["images"], { HOME: temp.path });
    expect(await images()).toMatchObject({ code: 0 });
    chownSync(file, stranger, stranger);
    expect(await images()).toMatchObject({
      code: 2,
      stderr: `error[E_CONFIG]: Cannot use configuration file ${file}: user (${stranger}) owns ${file}\n  help: sudo -H, to have root's own, or: chown root ${file}\n`,
    });
    chownSync(file, 0, 0);
    chownSync(temp.path, stranger, stranger);
    expect((await images()).stderr).toContain(`user (${stranger}) owns ${temp.path}\n`);
  });
});
