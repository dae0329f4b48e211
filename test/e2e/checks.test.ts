import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { tsbuild, tsbuildWith } from "../rig/command.ts";
import { Project, fromBusybox } from "../rig/project.ts";

const dockerfile = `${fromBusybox}COPY a \\

  /a$NOPE
CMD echo
`;
const files = { Dockerfile: dockerfile, a: "a" };
const lines = [
  " - UndefinedVar: Usage of undefined variable '$NOPE' (line 3)",
  " - NoEmptyContinuation: Empty continuation line (line 5)",
  " - JSONArgsRecommended: JSON arguments recommended for CMD to prevent unintended behavior related to OS signals (line 6)",
];

describe("warnings of a build", () => {
  it("stand below its progress, under the step that read the Dockerfile, and nowhere with -q", async () => {
    using project = new Project(files);
    const plain = await tsbuild(project, ["."]);
    expect([plain.code, plain.stdout]).toEqual([0, ""]);
    expect(plain.stderr).toContain(`\n 3 warnings found (use --debug to expand):\n${lines.join("\n")}\n\n`);
    expect(plain.stderr).toContain("\n#1 WARN: NoEmptyContinuation: Empty continuation line (line 5)\n");
    const debug = await tsbuild(project, ["--debug", "."]);
    expect(debug.stderr).toContain("\nwarning[JSONArgsRecommended]: ");
    expect(debug.stderr).toContain("\n   6 | CMD echo\n     | ^^^\n");
    expect(debug.stderr).toContain("\n  = https://docs.docker.com/go/dockerfile/rule/json-args-recommended/\n");
    expect((await tsbuild(project, ["-q", "."])).stderr).toBe("");
  });

  it("go to rawjson and to the metadata as BuildKit's VertexWarning", async () => {
    using project = new Project(files);
    const metadata = join(project.directory, "metadata.json");
    const words = ["--progress=rawjson", "--metadata-file", metadata, "."];
    const { stderr } = await tsbuildWith(project, words, { BUILDX_METADATA_WARNINGS: "1" });
    const told = stderr
      .trim()
      .split("\n")
      .flatMap((line): readonly object[] => JSON.parse(line).warnings ?? []);
    expect(told).toHaveLength(3);
    const base64 = (text: string): string => Buffer.from(text).toString("base64");
    expect(told[0]).toEqual({
      vertex: expect.stringMatching(/^sha256:/),
      level: 1,
      short: base64("UndefinedVar: Usage of undefined variable '$NOPE' (line 3)"),
      detail: [base64("Variables should be defined before their use")],
      url: "https://docs.docker.com/go/dockerfile/rule/undefined-var/",
      sourceInfo: { filename: "Dockerfile", data: base64(dockerfile), language: "Dockerfile" },
      range: [3, 4, 5].map((line) => ({ start: { line }, end: { line } })),
    });
    expect(JSON.parse(readFileSync(metadata, "utf8"))["buildx.build.warnings"]).toEqual(told);
  });

  it("come before the error of a Dockerfile that cannot be read to its end", async () => {
    using project = new Project({ Dockerfile: `${dockerfile}NONSENSE\n` });
    const { code, stderr } = await tsbuild(project, ["."]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/ 1 warning found.*\n - NoEmptyContinuation: .* \(line 5\)\nerror\[E_INSTRUCTION_UNKNOWN\]/);
  });

  it("fail it with error=true before any step, and are left out by skip", async () => {
    using project = new Project({ ...files, Dockerfile: `# check=error=true\n${dockerfile}` });
    const failed = await project.build();
    expect(failed.error).toMatchObject({
      code: "E_CHECK_FAILED",
      message: "Cannot build: lint violation found for rules: UndefinedVar, NoEmptyContinuation, JSONArgsRecommended",
    });
    const steps = failed.events.flatMap((event) => (event.kind === "vertex" ? [event.vertex.name] : []));
    expect(steps).toEqual(["[internal] load build definition from Dockerfile"]);
    expect((await tsbuild(project, ["."])).code).toBe(1);
    const skip = "BUILDKIT_DOCKERFILE_CHECK=skip=UndefinedVar,NoEmptyContinuation,JSONArgsRecommended;error=true";
    const passed = await tsbuild(project, ["--build-arg", skip, "."]);
    expect([passed.code, passed.stderr.includes("warning")]).toEqual([0, false]);
  });
});

describe("tsbuild's own checks", () => {
  const text = `${fromBusybox}# cache=soon\nRUN cd /tmp\n`;
  const effect = "tsbuild/RunWithoutEffect: This RUN does nothing: what cd changes is gone when it ends (line 4)";
  const limit = /tsbuild\/InvalidCacheLimit: .* \(line 4\)/;

  it("are for a check, and for a build that asks for them", async () => {
    using project = new Project({ Dockerfile: text });
    const usual = await tsbuild(project, ["."]);
    expect([usual.code, usual.stderr]).toEqual([0, expect.stringMatching(limit)]);
    expect(usual.stderr).not.toContain("RunWithoutEffect");
    const asked = await tsbuild(project, ["--check-own", "."]);
    expect([asked.code, asked.stderr]).toEqual([0, expect.stringContaining(`\n - ${effect}\n`)]);
    expect(asked.stderr).toContain("\n 2 warnings of tsbuild's own checks (--check-own=false turns them off):\n");
    const none = await tsbuild(project, ["--check-own=false", "."]);
    expect([none.code, none.stderr]).toEqual([0, expect.not.stringContaining("warning")]);
    const checked = await tsbuild(project, ["--check", "."]);
    expect([checked.code, checked.stdout]).toEqual([0, expect.stringContaining("no warnings found.\n\ntsbuild's own")]);
    expect(checked.stdout).toContain("  --> Dockerfile:4:5\n");
  });

  it("fail what asks for it, a build before any step", async () => {
    using project = new Project({ Dockerfile: text });
    const failed = await project.build({ ownChecks: "error" });
    expect(failed.error).toMatchObject({
      code: "E_CHECK_FAILED",
      message: "Cannot build: lint violation found for rules: tsbuild/InvalidCacheLimit, tsbuild/RunWithoutEffect",
    });
    const steps = failed.events.flatMap((event) => (event.kind === "vertex" ? [event.vertex.name] : []));
    expect(steps).toEqual(["[internal] load build definition from Dockerfile"]);
    expect((await tsbuild(project, ["--check", "--check-own=error", "."])).code).toBe(1);
    project.write("Dockerfile", `# check=error=true\n${text}`);
    expect((await project.build({ ownChecks: true })).error).toBeUndefined();
  });
});
