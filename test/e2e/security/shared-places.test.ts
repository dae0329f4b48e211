import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryPlace } from "../../../native/temporary-place.ts";
import { writeWhole, writeWholeText } from "../../../native/whole-file.ts";
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
