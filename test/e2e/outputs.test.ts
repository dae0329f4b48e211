import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { environmentOf, tsbuild } from "../rig/command.ts";
import { Project } from "../rig/project.ts";

const dockerfile = "FROM scratch\nCOPY tree /\n";
const tree = { "tree/a": "new", "tree/dir/b": "b", "tree/kind/c": "c" };

/** A directory with things of its own, some in the way. */
function occupied(project: Project): string {
  const dest = join(project.store, "..", "out");
  mkdirSync(join(dest, "dir", "own"), { recursive: true });
  mkdirSync(join(dest, "a"));
  writeFileSync(join(dest, "a", "x"), "");
  writeFileSync(join(dest, "dir", "own", "y"), "");
  writeFileSync(join(dest, "kind"), "a file where a directory comes");
  symlinkSync(project.directory, join(dest, "link"));
  return dest;
}

describe("-o type=local", () => {
  it("with mode=delete leaves what the result has and nothing else, and follows no link", async () => {
    using project = new Project({ Dockerfile: dockerfile, ...tree });
    const dest = occupied(project);
    const made = await tsbuild(project, ["-q", "-o", `type=local,mode=delete,dest=${dest}`, "."]);
    expect(made).toMatchObject({ code: 0, stderr: "" });
    expect(readdirSync(dest, { recursive: true, encoding: "utf8" }).toSorted((a, b) => a.localeCompare(b))).toEqual([
      "a",
      "dir",
      "dir/b",
      "kind",
      "kind/c",
    ]);
    expect(readFileSync(join(dest, "a"), "utf8")).toBe("new");
    expect(existsSync(join(project.directory, "Dockerfile"))).toBe(true);
  });

  it("without it, or with mode=copy, keeps what is there", async () => {
    using project = new Project({ Dockerfile: dockerfile, ...tree });
    const dest = join(project.store, "..", "out");
    mkdirSync(dest);
    writeFileSync(join(dest, "mine"), "");
    await tsbuild(project, ["-q", "-o", `type=local,mode=copy,dest=${dest}`, "."]);
    expect(readdirSync(dest)).toEqual(["a", "dir", "kind", "mine"]);
  });

  it("with SOURCE_DATE_EPOCH makes everything that old, as a tar is", async () => {
    using project = new Project({ Dockerfile: `${dockerfile}COPY <<x /h\ntext\nx\n`, ...tree });
    symlinkSync("a", join(project.directory, "tree/link"));
    const [dest, file] = [join(project.store, "..", "out"), join(project.store, "..", "o.tar")];
    for (const output of [`type=local,dest=${dest}`, `type=tar,dest=${file}`]) {
      const built = await tsbuild(project, ["-q", "--build-arg", "SOURCE_DATE_EPOCH=1000000000", "-o", output, "."]);
      expect(built).toMatchObject({ code: 0 });
    }
    const paths = readdirSync(dest, { recursive: true, encoding: "utf8" });
    expect(paths).toHaveLength(7);
    expect([...new Set(paths.map((path) => lstatSync(join(dest, path)).mtimeMs))]).toEqual([1_000_000_000_000]);
    const listed = execFileSync("tar", ["--utc", "-tvf", file], { encoding: "utf8" });
    expect(listed.split("\n").filter((line) => line.includes("2001-09-09 01:46"))).toHaveLength(7);
  });

  it("with platform-split=true has a directory for the platform", async () => {
    using project = new Project({ Dockerfile: dockerfile, ...tree });
    const dest = join(project.store, "..", "out");
    const output = `type=local,platform-split=true,dest=${dest}`;
    await tsbuild(project, ["-q", "--platform", "linux/arm/v7", "-o", output, "."]);
    expect(readdirSync(dest)).toEqual(["linux_arm_v7"]);
    expect(readdirSync(join(dest, "linux_arm_v7"))).toEqual(["a", "dir", "kind"]);
  });

  it.each([
    ["mode=move", 2, "E_USAGE", "neither copy nor delete"],
    ["platform-split=perhaps", 2, "E_USAGE", "platform-split"],
    ["mode=delete,dest=/", 1, "E_OUTPUT_FILE", "Cannot replace the whole root directory"],
    ["dest=Dockerfile", 1, "E_OUTPUT_FILE", "is a file: give a directory"],
  ])("refuses %s", async (attributes, code, error, text) => {
    using project = new Project({ Dockerfile: dockerfile, ...tree });
    const output = `type=local,${attributes}${attributes.includes("dest=") ? "" : ",dest=out"}`;
    const failed = await tsbuild(project, ["-q", "-o", output, "."]);
    expect([failed.code, failed.stdout]).toEqual([code, ""]);
    expect(failed.stderr).toContain(`error[${error}]`);
    expect(failed.stderr).toContain(text);
  });
});

describe("-o with name=", () => {
  it.each(["oci", "docker"])("type=%s writes the name in full, as BuildKit does", async (type) => {
    using project = new Project({ Dockerfile: dockerfile, ...tree });
    const made = await tsbuild(project, ["-q", "-o", `type=${type},tar=false,dest=out,"name=first:v1,reg.io/b"`, "."]);
    expect(made.stderr).toBe("");
    const index: { manifests: { annotations: Record<string, string> }[] } = JSON.parse(
      readFileSync(join(project.directory, "out/index.json"), "utf8"),
    );
    expect(index.manifests.map(({ annotations }) => Object.values(annotations))).toEqual([
      ["docker.io/library/first:v1", "v1"],
      ["reg.io/b:latest", "latest"],
    ]);
  });

  it.each([
    ["type=oci,dest=out.tar,name=Bad", "E_REF_INVALID"],
    ["type=docker,dest=out.tar,name=a b", "E_REF_INVALID"],
    ["type=image,name=a:b:c", "E_REF_INVALID"],
    [`type=image,name=a@sha256:${"ab".repeat(32)}`, "E_REF_INVALID"],
  ])("%s is refused before anything is built", async (output, code) => {
    using project = new Project({ Dockerfile: `${dockerfile}COPY nosuch /\n`, ...tree });
    const failed = await tsbuild(project, ["-q", "-o", output, "."]);
    expect([failed.code, failed.stdout]).toEqual([2, ""]);
    expect(failed.stderr).toContain(`error[${code}]`);
    expect(existsSync(join(project.directory, "out.tar"))).toBe(false);
  });

  it("type=image tells the names that it gave", async () => {
    using project = new Project({ Dockerfile: dockerfile, ...tree });
    const made = await project.build({ outputs: [{ type: "image", names: ["given:1"] }] });
    expect(made.result?.names).toEqual(["docker.io/library/given:1"]);
  });
});

describe("load", () => {
  it("takes the name that podman and skopeo give an image of an OCI archive", async () => {
    using project = new Project({ Dockerfile: dockerfile, ...tree });
    await tsbuild(project, ["-q", "-o", "type=oci,tar=false,dest=layout", "-t", "app:1", "."]);
    for (const [name, told] of [
      ["docker.io/library/other:2", "Loaded image: other:2\n"],
      ["team/app:3", "Loaded image: team/app:3\n"],
      ["latest", /^Loaded image ID: sha256:/],
      ["Not/A Name", /^Loaded image ID: sha256:/],
    ] as const) {
      const file = join(project.directory, "layout/index.json");
      const index: { manifests: { annotations: Record<string, string> }[] } = JSON.parse(readFileSync(file, "utf8"));
      for (const one of index.manifests) one.annotations = { "org.opencontainers.image.ref.name": name };
      writeFileSync(file, JSON.stringify(index));
      execFileSync("tar", ["-C", join(project.directory, "layout"), "-cf", join(project.directory, "app.tar"), "."]);
      const loaded = await tsbuild(project, ["load", "-i", "app.tar"]);
      expect(loaded.stdout).toMatch(typeof told === "string" ? new RegExp(`^${told}$`) : told);
    }
  });

  it("of an archive whose manifest.json is none says so", async () => {
    using project = new Project({});
    writeFileSync(join(project.directory, "manifest.json"), "{");
    execFileSync("tar", ["-C", project.directory, "-cf", join(project.directory, "app.tar"), "manifest.json"]);
    const failed = await tsbuild(project, ["load", "-i", "app.tar"]);
    expect(failed.stderr).toContain("error[E_ARCHIVE_INVALID]: Cannot load the archive: manifest.json is not JSON\n");
  });
});

/** An image `app` with one file of so many bytes. */
async function bigImage(bytes: number): Promise<Project> {
  const project = new Project({ Dockerfile: "FROM scratch\nCOPY big /\n", big: "" });
  truncateSync(join(project.directory, "big"), bytes);
  await tsbuild(project, ["-q", "-t", "app", "."]);
  return project;
}

describe("an archive on standard output", () => {
  it("is the whole of it, to its last byte", async () => {
    using project = await bigImage(5_000_000);
    const env = environmentOf(project);
    for (const command of ["save", "export"]) {
      await tsbuild(project, [command, "-o", "file.tar", "app"]);
      for (const pipe of [
        `"$0" ${command} app | cmp - file.tar`,
        `"$0" ${command} app > s.tar && cmp s.tar file.tar`,
      ]) {
        const program = resolve("builder/cli/tsbuild");
        expect(execFileSync("sh", ["-c", pipe, program], { cwd: project.directory, env }).toString()).toBe("");
      }
    }
  });
});

/** Whether the process writes a file below the directory; it may have no name yet. */
function hasOpen(pid: number | undefined, directory: string): boolean {
  const fds = `/proc/${pid}/fd`;
  return readdirSync(fds).some((fd) => {
    try {
      return readlinkSync(join(fds, fd)).startsWith(`${directory}/`);
    } catch {
      return false; // it was closed
    }
  });
}

describe("an archive that is being written when the user gives up", () => {
  it("is gone", async () => {
    using project = await bigImage(300_000_000);
    const env = environmentOf(project);
    const written = (): readonly string[] => readdirSync(project.directory).filter((name) => name.startsWith("out"));
    const types = ["oci", "tar"].map((type) => `-q -o type=${type},dest=out.tar .`);
    for (const line of ["save -o out.tar app", "export -o out.tar app", ...types]) {
      const child = spawn(resolve("builder/cli/tsbuild"), line.split(" "), { cwd: project.directory, env });
      const ended = once(child, "close");
      await expect.poll(() => hasOpen(child.pid, project.directory), { timeout: 10_000, interval: 2 }).toBe(true);
      child.kill("SIGINT");
      expect([line, ...(await ended)]).toEqual([line, 130, null]);
      expect(written()).toEqual([]);
    }
    expect(readdirSync(join(project.store, "leases"))).toEqual([]);
  });
});
