import { closeSync, fstatSync, openSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { pipe } from "../../../native/syscall.ts";
import { startContainer, type ContainerSpec, type Stdio } from "../../../runtime/index.ts";
import { ContainerRig } from "../../rig/container.ts";

const rig = new ContainerRig();
afterAll(() => rig[Symbol.dispose]());

async function runWith(stdio: Stdio, script: string, overrides: Partial<ContainerSpec> = {}): Promise<unknown> {
  await using container = await startContainer(rig.spec(script, overrides), stdio);
  return await container.exited;
}

function opened(
  name: string,
  flags: string,
  content = "",
): { readonly path: string; readonly fd: number } & Disposable {
  const path = join(rig.path, name);
  if (content !== "") writeFileSync(path, content);
  const fd = openSync(path, flags);
  return { path, fd, [Symbol.dispose]: () => closeSync(fd) };
}

const done = { kind: "exited", code: 0 };
const anybody = { uid: 1000, gid: 1000, additionalGids: [] };

describe("a container's standard streams", () => {
  it("are no way to the caller's files: none is read back, written, cut off or given another mode", async () => {
    using input = opened("input", "r", "important");
    using log = opened("log", "a", "earlier\n");
    using errors = opened("errors", "w");
    const script = `
      (echo OVERWRITTEN > /proc/self/fd/0) 2>/dev/null
      exec 3>&1; timeout 1 cat /proc/self/fd/3 >&2 < /dev/null & wait
      : > /proc/self/fd/1; chmod 777 /proc/self/fd/0 /proc/self/fd/1; chown 7 /proc/self/fd/1; echo end`;
    await runWith({ stdin: input.fd, stdout: log.fd, stderr: errors.fd }, script);
    expect(readFileSync(input.path, "utf8")).toBe("important");
    expect(readFileSync(log.path, "utf8")).toMatch(/^earlier\n[^]*end\n$/);
    expect(readFileSync(errors.path, "utf8")).not.toContain("earlier");
    for (const { path } of [input, log]) expect([statSync(path).mode & 0o777, statSync(path).uid]).toEqual([0o644, 0]);
  });

  it("without an input are no way to the host's /dev/null", async () => {
    const before = statSync("/dev/null");
    expect(await rig.output("chmod 600 /proc/self/fd/0; chown 5 /proc/self/fd/0; stat -c %a:%u /dev/null")).toBe(
      "600:5",
    );
    expect([statSync("/dev/null").mode, statSync("/dev/null").uid]).toEqual([before.mode, before.uid]);
  });

  it("carry every byte in both directions, and the end of the input", async () => {
    const bytes = Buffer.alloc(3_000_001, Buffer.from(Array.from({ length: 251 }, (_, at) => at)));
    writeFileSync(join(rig.path, "bytes"), bytes);
    using input = opened("bytes", "r");
    using output = opened("copy", "w");
    const stdio = { stdin: input.fd, stdout: output.fd, stderr: output.fd };
    expect(await runWith(stdio, "cat")).toEqual(done);
    expect(readFileSync(output.path).equals(bytes)).toBe(true);
  });

  it.each(["w", "a"])(
    "to one file (%s) arrive in the order in which they were written, and all of it",
    async (flags) => {
      using output = opened(`ordered-${flags}`, flags);
      const script = "i=0; while [ $i -lt 500 ]; do echo $i; echo $i >&2; i=$((i+1)); done";
      expect(await runWith({ stdin: "null", stdout: output.fd, stderr: output.fd }, script)).toEqual(done);
      const lines = Array.from({ length: 500 }, (_, at) => `${at}\n${at}\n`);
      expect(readFileSync(output.path, "utf8")).toBe(lines.join(""));
    },
  );

  it("may be opened by name by any user", async () => {
    using out = opened("by-name", "w");
    using err = opened("by-name-errors", "w");
    const script = "echo out > /dev/stdout; echo err > /dev/stderr; echo fd > /proc/self/fd/1";
    const stdio = { stdin: "null", stdout: out.fd, stderr: err.fd } as const;
    expect(await runWith(stdio, script, { user: anybody })).toEqual(done);
    expect([readFileSync(out.path, "utf8"), readFileSync(err.path, "utf8")]).toEqual(["out\nfd\n", "err\n"]);
  });

  it("tell the program that nobody reads any more", async () => {
    const { read, write } = pipe();
    closeSync(read);
    using errors = opened("told", "w");
    const script = "yes; echo ended $? >&2";
    expect(await runWith({ stdin: "null", stdout: write, stderr: errors.fd }, script)).toEqual(done);
    closeSync(write);
    expect(readFileSync(errors.path, "utf8")).toContain("ended");
  });

  it("that cannot be written are an error of their own", async () => {
    const full = openSync("/dev/full", "w");
    const failed = runWith({ stdin: "null", stdout: full, stderr: full }, "echo x");
    await expect(failed).rejects.toMatchObject({ code: "E_OUTPUT_FILE", message: expect.stringContaining("ENOSPC") });
    closeSync(full);
  });

  it("end with the program, also where its input goes on and what it wrote is read late", async () => {
    const input = pipe();
    const output = pipe();
    const running = runWith(
      { stdin: input.read, stdout: output.write, stderr: output.write },
      "head -c 5; echo; exit 3",
    );
    await new Promise<void>((resolve) => {
      const { write } = input;
      // More than a pipe holds: the program reads five bytes of it.
      const fd = openSync(`/proc/self/fd/${write}`, "w");
      writeFileSync(fd, "12345");
      closeSync(fd);
      resolve();
    });
    expect(await running).toEqual({ kind: "exited", code: 3 });
    for (const fd of [input.read, input.write, output.write]) closeSync(fd);
    expect(readFileSync(output.read, "utf8")).toBe("12345\n");
    closeSync(output.read);
  });

  it("are left as they are for the caller", async () => {
    using output = opened("kept", "w");
    const before = fstatSync(output.fd).mode;
    await runWith({ stdin: "null", stdout: output.fd, stderr: output.fd }, "chmod 0 /proc/self/fd/1", {
      user: anybody,
    });
    writeFileSync(output.fd, "mine");
    expect([readFileSync(output.path, "utf8"), fstatSync(output.fd).mode]).toEqual(["mine", before]);
  });
});
