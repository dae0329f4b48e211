import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { findControllers } from "../../../runtime/cgroup/controllers.ts";
import { startContainer } from "../../../runtime/index.ts";
import { ContainerRig, terminalText } from "../../rig/container.ts";

const rig = new ContainerRig();
afterAll(() => {
  rig[Symbol.dispose]();
  removeParents();
});

/** Of this file's containers alone: others come and go in the rest of the machine's groups. */
const cgroupParent = `/tsbuild-test-${randomBytes(6).toString("hex")}`;

function parents(): readonly string[] {
  const { tops, unified } = findControllers();
  const all = [...tops.values(), ...(unified === undefined ? [] : [unified.top])].map((top) => top + cgroupParent);
  return all.filter((path) => existsSync(path));
}

/** Who runs the tests may end this process in a way that runs nothing of ours. */
function removeParents(): void {
  for (const parent of parents()) {
    const below = readdirSync(parent, { recursive: true, withFileTypes: true }).filter((one) => one.isDirectory());
    const deepest = below.map(({ parentPath, name }) => join(parentPath, name)).toSorted((a, b) => b.length - a.length);
    for (const path of [...deepest, parent]) rmdirSync(path);
  }
}

function groups(): readonly string[] {
  const all = parents().flatMap((path) => readdirSync(path, { recursive: true, encoding: "utf8" }));
  return all.filter((name) => /(^|\/)test-[0-9a-f]+$/.test(name));
}

function children(): readonly string[] {
  return readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").split(" ").filter(Boolean);
}

/** Everything of a container that could stay behind, once the process that clones them has nothing more to do. */
async function leftovers(): Promise<unknown> {
  await expect.poll(children, { interval: 20, timeout: 20_000 }).toEqual([]);
  return {
    fds: readdirSync("/proc/self/fd").length,
    mounts: readFileSync("/proc/self/mountinfo", "utf8").includes(rig.path),
    cgroups: groups(),
  };
}

describe("a container's program", () => {
  it.each([0, 1, 42, 255])("ends with exit code %i", async (code) => {
    expect((await rig.run(`exit ${code}`)).status).toEqual({ kind: "exited", code });
  });

  it.each([
    ["SIGKILL", 9],
    ["SIGSEGV", 11],
    ["SIGTERM", 15],
  ])("that dies of %s below an init is said to be killed by %i", async (name, signal) => {
    const { status } = await rig.run(`kill -${name.slice(3)} $$; read x`, { init: true });
    expect(status).toEqual({ kind: "signaled", signal });
  });

  it("is PID 1, which no signal from inside ends that it has no handler for, as the kernel says", async () => {
    expect(await rig.output("echo $$; kill -TERM 1; kill -KILL 1; cat /proc/1/comm; true")).toBe("1\nsh");
  });

  it.each([false, true])("killed from outside is said to be, with init %s", async (init) => {
    await using container = await startContainer(rig.spec("sleep 1000", { init }), {
      stdin: "null",
      stdout: 1,
      stderr: 2,
    });
    container.kill(9);
    expect(await container.exited).toEqual({ kind: "signaled", signal: 9 });
  });

  it("leaves no zombie while it runs, where PID 1 is an init", async () => {
    const zombies = "grep -l 'State:.Z' /proc/[0-9]*/status 2>/dev/null | wc -l";
    const script = `(sh -c 'sleep 0.01 & exec sleep 0'); until [ "$(${zombies})" = 0 ] && ! pgrep -x sleep >/dev/null; do :; done; echo $$`;
    expect(await rig.output(script, { init: true })).toBe("2");
  });

  it("takes along what it left behind: daemons with their own session, that ignore signals and hold its output", async () => {
    const started = performance.now();
    const script = "trap '' TERM HUP INT; setsid sh -c 'trap \"\" TERM HUP; sleep 1000' & (sleep 1000 &) ; echo done";
    expect(await rig.output(script)).toBe("done");
    expect(performance.now() - started).toBeLessThan(5000);
  });

  it("that is not there is E_EXEC_NOT_FOUND, one that may not be run E_EXEC_DENIED", async () => {
    const program = (...args: string[]): Promise<unknown> => rig.run("", { args });
    await expect(program("nothing")).rejects.toMatchObject({ code: "E_EXEC_NOT_FOUND", errno: "ENOENT" });
    await expect(program("/bin/nothing")).rejects.toMatchObject({ code: "E_EXEC_NOT_FOUND" });
    await expect(program("")).rejects.toMatchObject({ code: "E_EXEC_NOT_FOUND" });
    await expect(program("/etc/passwd")).rejects.toMatchObject({ code: "E_EXEC_DENIED", errno: "EACCES" });
    await expect(program("/etc")).rejects.toMatchObject({ code: "E_EXEC_DENIED" });
  });

  it("is found by the container's PATH and has exactly the environment asked for", async () => {
    const env = ["PATH=/nowhere:/bin", "A=b c", "EMPTY=", "EQ=a=b"];
    expect((await rig.output("", { args: ["env"], env })).split("\n")).toEqual(env);
  });

  it("starts in its directory, also in one that its user may not enter by itself", async () => {
    const user = { uid: 1000, gid: 1000, additionalGids: [] };
    expect(await rig.output("pwd", { cwd: "/etc" })).toBe("/etc");
    expect(await rig.output("pwd", { cwd: "/tmp/../bin", user })).toBe("/bin");
  });

  it("cannot start in a directory of the host by /proc/self/fd/N", async () => {
    for (let fd = 0; fd < 40; fd++) {
      const said = await rig.output("pwd; ls /", { cwd: `/proc/self/fd/${fd}` }).catch((error: unknown) => error);
      expect(said).toMatchObject({ code: "E_WORKDIR_INVALID" });
    }
  });

  it("keeps the limits asked for and those it inherits where they cannot be raised", async () => {
    const rlimits = [
      { type: "RLIMIT_NOFILE", soft: 100, hard: 200 },
      { type: "RLIMIT_MEMLOCK", soft: 2 ** 40, hard: 2 ** 40 },
    ];
    const limits = await rig.output("ulimit -Sn; ulimit -Hn; grep -c 'Max locked' /proc/self/limits", { rlimits });
    expect(limits).toBe("100\n200\n1");
  });

  it("that uses more memory than its limit is killed and said to be", async () => {
    const script = "head -c 200m /dev/zero | tail -c 200m > /dev/null";
    const { status, oomKilled } = await rig.run(`${script}`, { resources: { memory: 32 << 20, memorySwap: 32 << 20 } });
    expect(status).not.toEqual({ kind: "exited", code: 0 });
    expect(oomKilled).toBe(true);
  });

  it("has a terminal of the container's own devpts, with its size, as its controlling terminal", async () => {
    const script =
      "tty; test -t 0 && test -t 2 && stty size; ls -1 /dev/pts /dev/console; echo x > /dev/tty; echo y > /dev/console";
    const stdio = { stdin: "null", stdout: -1, stderr: -1 } as const;
    const spec = rig.spec(script, { terminal: { columns: 91, rows: 33 } });
    await using container = await startContainer(spec, stdio);
    const text = await terminalText(container);
    expect(text.split("\r\n")).toEqual([
      "/dev/pts/0",
      "33 91",
      "/dev/console",
      "",
      "/dev/pts:",
      "0",
      "ptmx",
      "x",
      "y",
      "",
    ]);
    expect(await container.exited).toEqual({ kind: "exited", code: 0 });
  });

  it("may open its terminal by name as another user, and sees it resized", async () => {
    const script = "trap 'stty size; exit' WINCH; echo up > $(tty); while :; do sleep 0.01; done";
    const user = { uid: 1000, gid: 1000, additionalGids: [] };
    const spec = rig.spec(script, { terminal: { columns: 80, rows: 24 }, user });
    await using container = await startContainer(spec, { stdin: "null", stdout: -1, stderr: -1 });
    const ticker = setInterval(() => container.resize(100 + Math.floor(Math.random() * 9), 50), 20);
    const text = await terminalText(container);
    clearInterval(ticker);
    expect(text).toMatch(/up\r\n50 10\d\r\n/);
  });

  it("leaves nothing of it: descriptors, children, mounts, control groups", async () => {
    const limited = { cgroupParent, resources: { memory: 64 << 20, pids: 50 } };
    await rig.run("true", limited);
    const before = await leftovers();
    for (let i = 0; i < 10; i++) await rig.run("exit 1", { ...limited, init: i % 2 === 0 });
    for (let i = 0; i < 5; i++) await rig.run("", { ...limited, args: ["nothing"] }).catch(() => undefined);
    expect(await leftovers()).toEqual(before);
  });

  it("runs beside others: 30 at once, each with its own output and exit code", async () => {
    const numbers = Array.from({ length: 30 }, (_, at) => at);
    const ended = await Promise.all(numbers.map(async (number) => await rig.run(`echo ${number}; exit ${number}`)));
    expect(ended.map(({ stdout, status }) => [stdout, status])).toEqual(
      numbers.map((number) => [`${number}\n`, { kind: "exited", code: number }]),
    );
  });

  it.each([
    ["itself", {}],
    ["an init", { init: true }],
    // The kernel forgets at a change of user that it is to be killed with its parent.
    ["itself, of another user", { user: { uid: 1000, gid: 1000, additionalGids: [] } }],
  ])("with PID 1 %s dies with the engine, however that dies", async (_, overrides) => {
    const { script, root } = { script: "echo started; sleep 1000", root: JSON.stringify(rig.spec("", overrides)) };
    const source = `
      import { startContainer } from ${JSON.stringify(new URL("../../../runtime/index.ts", import.meta.url).href)};
      const spec = { ...${root}, args: ["/bin/sh", "-c", ${JSON.stringify(script)}] };
      const container = await startContainer(spec, { stdin: "null", stdout: 1, stderr: 2 });
      process.stdout.write(container.pid + "\\n");
      await container.exited;`;
    const engine = spawn(process.execPath, ["--input-type=module", "-e", source], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let said = "";
    for await (const data of engine.stdout.iterator({ destroyOnReturn: false })) {
      said += String(data);
      if (/started\n/.test(said) && /^\d+$/m.test(said)) break;
    }
    const pid = Number(/^\d+$/m.exec(said)?.[0]);
    expect(existsSync(`/proc/${pid}`)).toBe(true);
    engine.kill("SIGKILL");
    // The pipe's end comes when the last process that has it is gone.
    await new Promise((resolve) => engine.stdout.resume().on("end", resolve));
    // PID 1 itself waits for the others before it is a zombie or gone.
    const state = (): string => {
      try {
        return readFileSync(`/proc/${pid}/status`, "utf8");
      } catch {
        return "State:\tX";
      }
    };
    await expect.poll(state, { interval: 5 }).toMatch(/^State:\t[XZ]/m);
  });

  it("is gone at once when it is aborted, at any moment of its start", async () => {
    await rig.run("true", { cgroupParent });
    const before = await leftovers();
    for (let delay = 0; delay < 12; delay++) {
      const abort = new AbortController();
      const resources = { pids: 20 };
      const spec = rig.spec("trap '' TERM INT; sleep 1000 & while :; do :; done", { cgroupParent, resources });
      setTimeout(() => abort.abort(new Error("enough")), delay);
      const run = async (): Promise<unknown> => {
        await using container = await startContainer(
          spec,
          { stdin: "null", stdout: 1, stderr: 2 },
          { signal: abort.signal },
        );
        return await container.exited;
      };
      expect(await run().catch((error: unknown) => error)).toEqual(
        expect.toBeOneOf([new Error("enough"), { kind: "signaled", signal: 9 }]),
      );
    }
    expect(await leftovers()).toEqual(before);
    expect(existsSync(join(rig.path, "lower", "bin"))).toBe(true);
  });
});
