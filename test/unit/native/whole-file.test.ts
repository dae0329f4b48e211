import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { writeWhole, writeWholeText } from "../../../native/whole-file.ts";
import { tryLock } from "../../../native/lock.ts";
import { makeTemp } from "../../rig/temp.ts";

const hello = async (stream: NodeJS.WritableStream): Promise<void> => void stream.write("hello");

describe("writeWhole()", () => {
  it("replaces a file as a whole, and what a symbolic link leads to", async () => {
    using temp = makeTemp();
    const [file, link] = [join(temp.path, "file"), join(temp.path, "link")];
    writeFileSync(file, "old");
    symlinkSync("file", link);
    await writeWhole(link, hello);
    expect([readFileSync(file, "utf8"), readlinkSync(link)]).toEqual(["hello", "file"]);
    writeWholeText(link, "text", 0o600);
    expect([readFileSync(file, "utf8"), readlinkSync(link), statSync(file).mode & 0o777]).toEqual([
      "text",
      "file",
      0o600,
    ]);
  });

  it("leaves the old file, and nothing beside it, when writing fails", async () => {
    using temp = makeTemp();
    const file = join(temp.path, "file");
    writeFileSync(file, "old");
    const failing = writeWhole(file, async (stream) => {
      stream.write("half");
      throw new RangeError("no more");
    });
    await expect(failing).rejects.toThrow(RangeError);
    expect([readFileSync(file, "utf8"), readdirSync(temp.path)]).toEqual(["old", ["file"]]);
  });

  it("writes to a device and to a pipe, and does not replace them", async () => {
    using temp = makeTemp();
    const pipe = join(temp.path, "pipe");
    execFileSync("mkfifo", [pipe]);
    const reader = import("node:fs/promises").then(async ({ readFile }) => await readFile(pipe, "utf8"));
    await writeWhole(pipe, hello);
    expect(await reader).toBe("hello");
    expect(statSync(pipe).isFIFO()).toBe(true);
    await writeWhole("/dev/null", hello);
    writeWholeText("/dev/null", "x");
    expect(statSync("/dev/null").isCharacterDevice()).toBe(true);
    await expect(writeWhole("/dev/full", hello)).rejects.toMatchObject({
      code: "E_OUTPUT_FILE",
      message: expect.stringContaining("ENOSPC"),
    });
  });

  it.each([
    ["a directory that is missing", "nosuch/file", /mkdir -p .*nosuch$/],
    ["a directory", "directory", /give the name of a file/],
  ])("refuses %s and says what to do", async (_, path, hint) => {
    using temp = makeTemp();
    mkdirSync(join(temp.path, "directory"));
    const file = join(temp.path, path);
    const expected = { code: "E_OUTPUT_FILE", hint: expect.stringMatching(hint) };
    await expect(writeWhole(file, hello)).rejects.toMatchObject(expected);
    expect(() => writeWholeText(file, "x")).toThrow(expect.objectContaining(expected));
  });
});

describe("a process that is killed while it writes a file", () => {
  const script = `
    import { writeWhole } from ${JSON.stringify(join(import.meta.dirname, "../../../native/whole-file.ts"))};
    await writeWhole(process.argv[1], async (stream) => {
      await new Promise((done) => stream.write("half", done));
      console.log("half");
      await new Promise(() => setInterval(() => undefined, 1000));
    });`;

  it("leaves nothing beside it, or what the next one removes", async () => {
    using temp = makeTemp();
    const file = join(temp.path, "file");
    const child = spawn(process.execPath, ["--input-type=module", "-e", script, file], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "close");
    const left = readdirSync(temp.path); // on a file system without O_TMPFILE there is one
    expect(left.filter((name) => !/^file\.[0-9a-f]{12}\.tmp$/.test(name))).toEqual([]);
    writeFileSync(join(temp.path, "file.0123456789ab.tmp"), "as by a file system without unnamed files");
    writeFileSync(file, "old");
    await writeWhole(file, hello);
    expect([readFileSync(file, "utf8"), readdirSync(temp.path)]).toEqual(["hello", ["file"]]);
  });

  it("and what others write at the same time stays", async () => {
    using temp = makeTemp();
    const file = join(temp.path, "file");
    writeFileSync(file, "old");
    writeFileSync(`${file}.0123456789ab.tmp`, "of somebody who writes");
    using _held = tryLock(`${file}.0123456789ab.tmp`);
    await writeWhole(file, hello);
    expect(readdirSync(temp.path).toSorted()).toEqual(["file", "file.0123456789ab.tmp"]);
  });
});
