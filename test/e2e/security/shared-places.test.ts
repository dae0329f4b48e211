import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { Root } from "../../../native/path.ts";
import { temporaryPlace } from "../../../native/temporary-place.ts";
import { openOutputDirectory, writeWhole, writeWholeText } from "../../../native/whole-file.ts";
import { tsbuild } from "../../rig/command.ts";
import { fromBusybox, Project } from "../../rig/project.ts";
import { strangerUid } from "../../rig/stranger.ts";
import { makeTemp } from "../../rig/temp.ts";

/** As /tmp. */
function makeShared(directory: string): string {
  const path = join(directory, "shared");
  mkdirSync(path);
  chmodSync(path, 0o1777);
  return path;
}

describe("a result in a directory that everybody may write to", () => {
  it("is not written through another user's link", async () => {
    using project = new Project({ Dockerfile: fromBusybox });
    using temp = makeTemp();
    const shared = makeShared(temp.path);
    const canary = join(temp.path, "canary");
    writeFileSync(canary, "mine");
    for (const name of ["out.tar", "iid", "gone"]) {
      symlinkSync(name === "gone" ? join(temp.path, "new") : canary, join(shared, name));
      lchownSync(join(shared, name), strangerUid, strangerUid);
    }
    const tar = await tsbuild(project, ["-q", "-o", `type=oci,dest=${join(shared, "out.tar")}`, "."]);
    expect([tar.code, tar.stderr]).toEqual([
      1,
      expect.stringContaining(
        `error[E_OUTPUT_FILE]: Cannot write ${shared}/out.tar: ${shared}/out.tar is a symbolic link of another user`,
      ),
    ]);
    const iid = await tsbuild(project, ["-q", "--iidfile", join(shared, "iid"), "."]);
    expect([iid.code, iid.stderr]).toEqual([1, expect.stringContaining("error[E_RESULT_FILE]: Cannot write")]);
    writeWholeText(join(shared, "gone"), "text");
    expect([readFileSync(canary, "utf8"), readdirSync(temp.path).toSorted()]).toEqual(["mine", ["canary", "shared"]]);
    expect(readFileSync(join(shared, "gone"), "utf8")).toBe("text");
  });

  it("is written through a link of one's own, and of the directory's owner", async () => {
    using temp = makeTemp();
    const shared = makeShared(temp.path);
    const file = join(temp.path, "file");
    writeFileSync(file, "old");
    symlinkSync(file, join(shared, "own"));
    await writeWhole(join(shared, "own"), async (stream) => void stream.write("own"));
    expect(readFileSync(file, "utf8")).toBe("own");
    chownSync(shared, strangerUid, strangerUid);
    symlinkSync(file, join(shared, "theirs"));
    lchownSync(join(shared, "theirs"), strangerUid, strangerUid);
    writeWholeText(join(shared, "theirs"), "theirs");
    expect(readFileSync(file, "utf8")).toBe("theirs");
  });
});

describe("a directory of results where everybody may write", () => {
  const types = ["type=local", "type=local,mode=delete", "type=local,platform-split=true", "type=oci,tar=false"];

  /** An image of one file; `canary/below/file` of this user, and links to it that another user made. */
  function prepare(temp: string): { readonly project: Project; readonly shared: string; readonly canary: string } {
    const project = new Project({ Dockerfile: "FROM scratch\nCOPY Dockerfile /file\n" });
    const canary = join(temp, "canary");
    mkdirSync(join(canary, "below"), { recursive: true });
    writeFileSync(join(canary, "below/file"), "mine");
    return { project, shared: makeShared(temp), canary };
  }

  function linkAsStranger(target: string, path: string): void {
    symlinkSync(target, path);
    lchownSync(path, strangerUid, strangerUid);
  }

  const filesOf = (directory: string): readonly string[] =>
    readdirSync(directory, { recursive: true, encoding: "utf8" }).toSorted();

  it("is not found by way of another user's link, at its end or before", async () => {
    using temp = makeTemp();
    const { project, shared, canary } = prepare(temp.path);
    using _project = project;
    linkAsStranger(canary, join(shared, "out"));
    for (const type of types) {
      for (const dest of [join(shared, "out"), join(shared, "out/below"), join(shared, "out/new")]) {
        const { code, stderr } = await tsbuild(project, ["-q", "-o", `${type},dest=${dest}`, "."]);
        expect([code, stderr]).toEqual([
          1,
          expect.stringContaining(`Cannot write ${dest}: ${shared}/out is a symbolic link of another user`),
        ]);
      }
    }
    const { stderr } = await tsbuild(project, ["-q", "-o", `type=tar,dest=${shared}/out/below/x.tar`, "."]);
    expect(stderr).toContain(`${shared}/out is a symbolic link of another user`);
    expect(filesOf(canary)).toEqual(["below", "below/file"]);
  });

  it("that is another user's leads nowhere else", async () => {
    using temp = makeTemp();
    const { project, shared, canary } = prepare(temp.path);
    using _project = project;
    const theirs = join(shared, "theirs");
    mkdirSync(theirs);
    chownSync(theirs, strangerUid, strangerUid);
    for (const name of ["blobs", "linux_amd64", "linux_arm64"]) linkAsStranger(canary, join(theirs, name));
    for (const name of ["oci-layout", "index.json", "file"])
      linkAsStranger(join(canary, "below/file"), join(theirs, name));
    const results: string[] = [];
    for (const type of types.toReversed())
      results.push((await tsbuild(project, ["-q", "-o", `${type},dest=${theirs}`, "."])).stderr);
    const isLink = (name: string): unknown =>
      expect.stringContaining(`error[E_OUTPUT_FILE]: Cannot write ${join(theirs, name)}: ELOOP`);
    expect(results).toEqual([isLink("blobs"), isLink(`linux_${process.arch === "x64" ? "amd64" : "arm64"}`), "", ""]);
    expect([filesOf(canary), readFileSync(join(canary, "below/file"), "utf8")]).toEqual([
      ["below", "below/file"],
      "mine",
    ]);
    expect(readdirSync(theirs)).toEqual(["file"]);
    unlinkSync(join(theirs, "file"));
    linkAsStranger(join(canary, "below/file"), join(theirs, "index.json"));
    expect(await tsbuild(project, ["-q", "-o", `type=oci,tar=false,dest=${theirs}`, "."])).toMatchObject({ code: 0 });
    expect(readFileSync(join(canary, "below/file"), "utf8")).toBe("mine");
  });

  it("is not opened when somebody exchanges it meanwhile", () => {
    using temp = makeTemp();
    const [out, canary] = [join(temp.path, "out"), join(temp.path, "canary")];
    mkdirSync(canary);
    mkdirSync(join(temp.path, "real"));
    symlinkSync("real", out);
    const exchange = vi.spyOn(Root, "open").mockImplementationOnce((path) => {
      rmSync(out);
      symlinkSync("canary", out);
      const opened = Root.open(path);
      rmSync(out);
      symlinkSync("real", out);
      return opened;
    });
    try {
      expect(() => openOutputDirectory(out)).toThrow(/ESTALE/);
      expect(exchange).toHaveBeenCalledTimes(2);
    } finally {
      exchange.mockRestore();
    }
  });

  it("has no pipes of others that a result goes into", async () => {
    using temp = makeTemp();
    const shared = makeShared(temp.path);
    const pipe = join(shared, "out.tar");
    execFileSync("mkfifo", ["-m", "666", pipe]);
    chownSync(pipe, strangerUid, strangerUid);
    expect(() => writeWholeText(pipe, "secret")).toThrow(`${pipe} is a pipe of another user`);
    await expect(writeWhole(pipe, async () => undefined)).rejects.toMatchObject({ code: "E_OUTPUT_FILE" });
  });
});

describe("temporaryPlace()", () => {
  it("is what TMPDIR names, if nobody else could exchange what is in it", () => {
    using temp = makeTemp();
    const before = process.env["TMPDIR"];
    process.env["TMPDIR"] = temp.path;
    try {
      expect(temporaryPlace()).toBe(temp.path);
      chownSync(temp.path, strangerUid, strangerUid);
      expect(temporaryPlace()).toBe("/tmp");
    } finally {
      if (before === undefined) delete process.env["TMPDIR"];
      else process.env["TMPDIR"] = before;
    }
  });
});
