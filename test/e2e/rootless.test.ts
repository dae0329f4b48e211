import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { mountsOf } from "../rig/mounts.ts";
import { GitServer } from "../rig/git-server.ts";
import { PlainUser } from "../rig/plain-user.ts";
import { fromBusybox, Project } from "../rig/project.ts";
import { TestRegistry } from "../rig/registry.ts";
import { batteryLines, callsThrough, filesOpened } from "./security/battery.ts";

/** A project that everybody may read. */
function openProject(files: Readonly<Record<string, string>>): Project {
  const project = new Project(files);
  chmodSync(dirname(project.directory), 0o755);
  return project;
}

const epoch = ["--build-arg", "SOURCE_DATE_EPOCH=1700000000"];

/** Owners, whiteouts, an opaque directory, hard links, modes: all that a layer keeps. */
const dockerfile = `${fromBusybox}RUN mkdir -p /data/sub && echo a > /data/a && echo b > /data/sub/b && chown -R 1000:1001 /data && ln /data/a /data/hard
RUN rm /data/a && rm -rf /data/sub && mkdir /data/sub && echo c > /data/sub/c && chmod 4755 /data/sub/c && chown 0:5 /data/sub
COPY --chown=app:app Dockerfile /home/app/
USER app
WORKDIR /home/app/work
RUN id -u > id && id -G >> id && test "$(cat /proc/1/comm)" = sh
CMD ["sh", "-c", "cat id; ls /data/sub; test ! -e /data/a; stat -c %u:%g:%a /data/sub/c /home/app/Dockerfile"]
`;

describe("a plain user", () => {
  it("builds the very image that root builds, finds it in the cache, and runs it", async () => {
    using user = new PlainUser();
    using project = openProject({ Dockerfile: dockerfile });
    const rootful = await project.build({
      sourceDateEpoch: 1_700_000_000,
      buildArgs: { SOURCE_DATE_EPOCH: "1700000000" },
    });
    const built = await user.tsbuild(project.directory, ["-q", "-t", "app", ...epoch, "."]);
    expect(built).toMatchObject({ code: 0, stderr: "" });
    expect(built.stdout.trim()).toBe(rootful.result?.imageID);
    const again = await user.tsbuild(project.directory, ["--progress=plain", ...epoch, "."]);
    expect(again.stderr.match(/CACHED/g)).toHaveLength(6);
    const ran = await user.tsbuild(project.directory, ["run", "app"]);
    expect(ran).toEqual({ code: 0, stdout: "1000\n1001 2000\nc\n0:0:4755\n1000:1001:644\n", stderr: "" });
    expect(statSync(join(user.home, ".local/share/tsbuild")).uid).toBe(user.uid);
  });

  it("has the host's network for want of one of its own, which is told", async () => {
    using user = new PlainUser();
    using project = openProject({ Dockerfile: `${fromBusybox}RUN true\n` });
    const env = { TSBUILD_NETWORK: "" };
    const words = ["-q", "--no-cache", "-t", "app", "."];
    const { code, stderr } = await user.tsbuild(project.directory, words, env);
    expect([code, stderr]).toEqual([
      0,
      expect.stringMatching(/^WARN: RUN has the host's network, .* a plain user cannot/),
    ]);
    const demanded = await user.tsbuild(project.directory, ["run", "--network", "own", "app", "true"], env);
    expect([demanded.code, demanded.stderr]).toEqual([125, expect.stringContaining("error[E_NETWORK_OWN]")]);
  });

  it.runIf(existsSync("/dev/net/tun") && existsSync("/usr/bin/slirp4netns"))(
    "has a network of its own by slirp4netns",
    async () => {
      using user = new PlainUser({ tun: true });
      using project = openProject({ Dockerfile: `${fromBusybox}RUN ls /sys/class/net > /net\nCMD ["cat", "/net"]\n` });
      const env = { TSBUILD_NETWORK: "own" };
      expect(await user.tsbuild(project.directory, ["-q", "-t", "app", "."], env)).toMatchObject({
        code: 0,
        stderr: "",
      });
      const script = "cat /net; ls /sys/class/net; cat /etc/resolv.conf | grep ^nameserver";
      const ran = await user.tsbuild(project.directory, ["run", "app", "sh", "-c", script], env);
      expect(ran).toEqual({ code: 0, stdout: "eth0\nlo\neth0\nlo\nnameserver 10.0.2.3\n", stderr: "" });
    },
  );

  it("pushes, pulls, saves and removes", async () => {
    await using registry = await TestRegistry.start();
    using user = new PlainUser();
    using project = openProject({ Dockerfile: dockerfile });
    const name = `${registry.host}/plain/app:1`;
    const command = async (...words: readonly string[]): Promise<string> => {
      const { code, stdout, stderr } = await user.tsbuild(project.directory, words);
      expect({ words, code, stderr: code === 0 ? "" : stderr }).toEqual({ words, code: 0, stderr: "" });
      return stdout;
    };
    await command("-q", "-t", name, ".");
    await command("push", name);
    await command("rmi", name);
    await command("prune", "--all");
    expect(await command("images", "-q")).toBe("");
    expect(await command("run", name)).toContain("0:0:4755");
    await command("save", "-o", join(user.home, "app.tar"), name);
    expect(statSync(join(user.home, "app.tar")).uid).toBe(user.uid);
  });

  it("gets exported files as its own", async () => {
    using user = new PlainUser();
    using project = openProject({ Dockerfile: dockerfile });
    const dest = join(user.home, "out");
    const { code } = await user.tsbuild(project.directory, ["-q", "-o", `type=local,dest=${dest}`, "."]);
    expect(code).toBe(0);
    const { uid } = statSync(join(dest, "data/sub/c"));
    expect(uid).toBe(user.uid);
    expect(readFileSync(join(dest, "data/sub/c"), "utf8")).toBe("c\n");
  });

  it("builds from git repositories: the main context, a named one, and ADD with its .git", async () => {
    await using server = await GitServer.start();
    using user = new PlainUser();
    using project = openProject({});
    const [app, library] = [server.repository("app.git"), server.repository("library.git")];
    app.submodule("service/sub", "../library.git", library.commit({ "lib.txt": "library " }));
    const commit = app.commit({
      "service/Dockerfile": `FROM scratch
COPY --from=tools . /
ADD --keep-git-dir ${server.url("library.git")} /added
COPY . /app
COPY --from=library lib.txt /
RUN test -d /added/.git && test -z "$(find /app /lib.txt /added ! -user 0 -o ! -group 0)"
CMD ["cat", "/app/run", "/app/sub/lib.txt", "/lib.txt", "/added/lib.txt"]
`,
      "service/run": "app ",
    });
    const contexts = { library: server.url("library.git"), tools: join(project.directory, "busybox") };
    const flags = Object.entries(contexts).flatMap(([name, value]) => ["--build-context", `${name}=${value}`]);
    const tsbuild = async (
      words: readonly string[],
      env: Readonly<Record<string, string>> = {},
    ): Promise<{ readonly stdout: string; readonly stderr: string }> => {
      const { code, stdout, stderr } = await user.tsbuild(user.home, words, env);
      expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
      return { stdout, stderr };
    };
    const url = `${server.url("app.git")}#main:service`;
    await tsbuild(["-t", "app", ...flags, url]);
    expect((await tsbuild(["run", "app"])).stdout).toBe("app library library library ");
    const fetches = (): number => server.requests.filter(({ path }) => path.endsWith("/git-upload-pack")).length;
    const before = fetches();
    expect((await tsbuild(["--progress=plain", ...flags, url])).stderr.match(/CACHED/g)).toHaveLength(6);
    // Each server was asked once what its branch is; nothing was fetched.
    expect(fetches() - before).toBe(2);
    // Without numbers for other owners the files are root's all the same.
    await tsbuild(["-q", ...flags, `${server.url("app.git")}#${commit}:service`], {
      TSBUILD_USERNS: "single",
      TSBUILD_ROOT: join(user.home, "single"),
    });
  });

  it("without ranges of numbers is told what is missing, and may have all files as root's", async () => {
    using user = new PlainUser({ ranges: false });
    using project = openProject({ Dockerfile: "FROM scratch\nADD owned.tar /\n" });
    writeFileSync(join(project.directory, "owned"), "x");
    execFileSync("tar", [
      "-C",
      project.directory,
      "--owner=77",
      "--group=88",
      "-cf",
      join(project.directory, "owned.tar"),
      "owned",
    ]);
    const refused = await user.tsbuild(project.directory, ["."]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(
      "error[E_NO_SUBUID]: Cannot unpack /owned: its owner 77:88 has no number in this user namespace",
    );
    expect(refused.stderr).toContain("usermod --add-subuids");
    const single = await user.tsbuild(project.directory, ["-q", "."], { TSBUILD_USERNS: "single" });
    expect(single).toMatchObject({ code: 0, stderr: "" });
    project.write("Dockerfile", `${fromBusybox}RUN id -u > /id\n`);
    expect(await user.tsbuild(project.directory, ["-q", "."])).toMatchObject({ code: 0, stderr: "" });
    project.write("Dockerfile", `${fromBusybox}USER app\nRUN id\n`);
    const other = await user.tsbuild(project.directory, ["."]);
    expect(other.stderr).toContain("error[E_NO_SUBUID]: Cannot start the container: its user 1000:1001 has no number");
    expect(other.stderr).toContain("--> Dockerfile:4:1");
  });

  it("who may not make namespaces is told which setting says so", async () => {
    using user = new PlainUser();
    const told = await user.tsbuild("/", ["."], { TSBUILD_USERNS_ERROR: "unshare 1" });
    expect(told.code).toBe(1);
    expect(told.stderr).toMatch(
      /^error\[E_NO_USERNS\]: Cannot work as a plain user: this user may not create user namespaces \(unshare: EPERM\)\n/,
    );
    const init = join(import.meta.dirname, "../../native/build/tsbuild-init");
    const failed = execFileSync(init, ["userns", "nonsense", "0 0 1", "", "", "/usr/bin/env"], { encoding: "utf8" });
    expect(failed).toMatch(/^TSBUILD_USERNS_ERROR=map \d+$/m);
  });

  it("leaves nothing behind, and nothing of the container can reach what is the user's", async () => {
    using user = new PlainUser();
    writeFileSync(join(user.home, "canary"), "mine");
    using project = openProject({
      Dockerfile: `${fromBusybox}RUN ! cat ${join(user.home, "canary")} 2>/dev/null && ! mount -t tmpfs none /mnt 2>/dev/null && ! mknod /dev/x b 8 0 2>/dev/null
RUN mkdir /x && ! touch /sys/fs/cgroup/x 2>/dev/null && test "$(readlink /proc/1/root)" = /
RUN exit 3
`,
    });
    const before = mountsOf(user.home, ["/mnt"]);
    const failed = await user.tsbuild(project.directory, ["."]);
    expect(failed.stderr).toContain("error[E_RUN_FAILED]: RUN exited with code 3");
    expect(mountsOf(user.home, ["/mnt"])).toEqual(before);
    const store = join(user.home, ".local/share/tsbuild");
    expect(readdirSync(join(store, "leases"))).toEqual([]);
    expect(readdirSync(join(store, "snapshots"))).toHaveLength(2);
  });

  it("has containers that get out as little as root's do", async () => {
    using user = new PlainUser();
    using project = openProject({ Dockerfile: `${fromBusybox}COPY battery /bin/\nRUN battery\nCMD ["battery"]\n` });
    const source = join(import.meta.dirname, "security/battery.c");
    execFileSync("cc", ["-static", "-O1", "-w", "-o", join(project.directory, "battery"), source]);
    const built = await user.tsbuild(project.directory, ["-t", "battery", "--progress=rawjson", "."]);
    expect(built.code).toBe(0);
    const logs = await user.tsbuild(project.directory, ["logs"]);
    const ran = await user.tsbuild(project.directory, ["run", "battery"]);
    const inside = await user.tsbuild(project.directory, ["run", "--network", "none", "-u", "app", "battery"]);
    const below = await user.tsbuild(project.directory, ["run", "--init", "battery"]);
    for (const { stdout } of [logs, ran, inside, below]) {
      expect(batteryLines(stdout, "call").length).toBeGreaterThan(75);
      expect(callsThrough(stdout)).toEqual([]);
      expect(batteryLines(stdout, "file").length).toBeGreaterThan(50);
      expect(filesOpened(stdout)).toEqual([]);
    }
  });

  it("may run any program as root of the namespace", async () => {
    using user = new PlainUser();
    const shared = await user.tsbuild("/", [
      "unshare",
      "sh",
      "-c",
      "id -u; grep -c . /proc/self/uid_map; echo $TSBUILD_USERNS_UID; exit 7",
    ]);
    expect(shared).toEqual({ code: 7, stdout: "0\n2\n4321\n", stderr: "" });
  });
});
