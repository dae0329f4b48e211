import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Root } from "../../native/path.ts";
import { readDockerArchive } from "../peers/compare.ts";
import { Project } from "../rig/project.ts";

/** CAP_NET_BIND_SERVICE, as the kernel keeps it. */
const capability = Buffer.from("0100000200040000000000000000000000000000", "hex");

/** Extended attributes of each path of the image. */
async function attributes(project: Project): Promise<Readonly<Record<string, string | undefined>>> {
  const dest = join(project.store, "..", "image.tar");
  const { error } = await project.build({ outputs: [{ type: "docker", dest, tar: true }] });
  expect(error).toBeUndefined();
  const { nodes } = await readDockerArchive(dest);
  return Object.fromEntries([...nodes].map(([path, { facts }]) => [path, facts["xattrs"]]));
}

function mark(project: Project): void {
  using root = Root.open(project.directory);
  using dir = root.dir("dir");
  dir.setxattr("file", "security.capability", capability);
  dir.setxattr("file", "user.note", Buffer.from("hi"));
  root.setxattr("dir", "user.note", Buffer.from("hi"));
}

const noted = `user.note=${Buffer.from("hi").toString("hex")}`;

describe("extended attributes", () => {
  it("of a directory of the host are not copied and not looked at, as with BuildKit", async () => {
    using project = new Project({ Dockerfile: "FROM scratch\nCOPY dir /dir\nADD dir/file /file\n", "dir/file": "x" });
    expect((await project.build()).error).toBeUndefined();
    mark(project);
    expect((await project.build()).result?.steps).toEqual({ total: 2, cached: 2 });
    expect(await attributes(project)).toEqual({ dir: undefined, "dir/file": undefined, file: undefined });
    expect((await project.build({ noCache: true })).error).toBeUndefined();
    expect(await attributes(project)).toEqual({ dir: undefined, "dir/file": undefined, file: undefined });
  });

  it("of an archive and of a stage are kept", async () => {
    using project = new Project({
      Dockerfile: "FROM scratch AS s\nADD a.tar /\nFROM scratch\nCOPY --from=s / /c\nADD a.tar /\n",
      "dir/file": "x",
    });
    mark(project);
    execFileSync("tar", ["--xattrs", "--xattrs-include=*", "-cf", "a.tar", "dir"], { cwd: project.directory });
    const both = `security.capability=${capability.toString("hex")} ${noted}`;
    expect(await attributes(project)).toEqual({
      c: undefined,
      "c/dir": noted,
      "c/dir/file": both,
      dir: noted,
      "dir/file": both,
    });
  });
});
