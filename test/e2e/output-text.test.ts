import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Ended, tsbuild, tsbuildOnTerminal, tsbuildWith } from "../rig/command.ts";
import { fromBusybox, Project } from "../rig/project.ts";

/** Clipboard, title, alternate screen, clear, cursor, C1 controls in both forms, BEL; then colour, and what CIs obey. */
const hostile = [
  String.raw`\033]52;c;aGk=\007\033]0;PWN\007\033]8;;http://x\033\\\033P1$r\033\\\033[?1049h\033[2J\033[10;1Hshown\n`,
  String.raw`\302\2332Jshown\302\235 0;t\007\n\2332Jshown\a\b\n`,
  String.raw`\033[31mred\n`,
  String.raw`x\r::add-mask::root\r##[add-mask]root ##vso[task.setsecret]r ##teamcity[a]\n`,
  String.raw`::add-mask::root\nsection_start:1:x\r\033[0K\n--- group\n`,
].join("");
const dockerfile = (end: string): string => `${fromBusybox}RUN printf '${hostile}'; ${end}\n`;
const label = "::add-mask::x\\u001b]0;t\\u0007\\u009b2J ##[group]y";

/** All of the text but newlines, tabs and colours. */
const controls = (text: string): string[] =>
  text.replaceAll(/\u001b\[[0-9;]*m/g, "").match(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g) ?? [];

/** What a CI service would obey; our own folds and annotations are none of others' text. */
function obeyed(text: string): readonly string[] {
  const lines = text.split(/\r\n|\r|\n/).filter((line) => !/^::(?:group|endgroup|error|warning)\b/.test(line));
  return lines.filter((line) => /^\s*::[\w-]+.*::|##\[|##vso\[|##teamcity\[/.test(line));
}

/** The terminal's own end of a line is no program's. */
const drawn = (shown: string): string =>
  shown
    .replaceAll("\r\n", "\n")
    // What the picture of a build is drawn with: up, line begin, clear to the end, cursor off and on.
    .replaceAll(/\u001b\[\d+A\r|\u001b\[[JK]|\u001b\[\?25[lh]/g, "");

describe("what a step prints", () => {
  it.each([
    ["plain", "false"],
    ["plain", "true"],
    ["tty", "false"],
    ["quiet", "false"],
    ["rawjson", "false"],
  ])("reaches a terminal as text and colours only: --progress=%s, then %s", async (mode, end) => {
    using project = new Project({ Dockerfile: dockerfile(end) });
    const { stdout } = await tsbuildOnTerminal(project, ["--no-cache", `--progress=${mode}`, "-t", "e", "."], "");
    expect(controls(drawn(stdout))).toEqual([]);
    expect(obeyed(drawn(stdout))).toEqual([]);
    if (mode !== "rawjson") expect(stdout).toContain("shown");
  });

  it("ends a line of plain progress at a carriage return, and carries no colour into the next", async () => {
    using project = new Project({ Dockerfile: dockerfile("true") });
    const { stderr } = await tsbuild(project, ["--progress=plain", "."]);
    const lines = stderr.split("\n").map((line) => line.replace(/^#(\d+) \d+\.\d+ /, "#$1 "));
    const step = /^#\d+ (?=\[2\/2\] RUN)/.exec(lines.find((line) => line.includes("] RUN")) ?? "")?.[0] ?? "";
    const printed = lines.filter((line) => line.startsWith(step)).map((line) => line.slice(step.length));
    expect(printed.slice(2, -1)).toEqual([
      "shown",
      "shown",
      "\ufffd2Jshown",
      "\u001b[31mred\u001b[0m",
      "x",
      "::add-mask::root",
      "# #[add-mask]root # #vso[task.setsecret]r # #teamcity[a]",
      "::add-mask::root",
      "section_start :1:x",
      "",
      "--- group",
    ]);
  });

  it("has no colours in the excerpt of a failed step", async () => {
    using project = new Project({
      Dockerfile: `${fromBusybox}RUN printf '\\033[31mred\\033[0m\\r\\nlast\\r'; false\n`,
    });
    const { stderr } = await tsbuild(project, ["-q", "."]);
    expect(stderr).toMatch(/------\n > \[2\/2\] RUN .*:\n\d\.\d+ red\n\d\.\d+ last\n------\n/);
    expect(stderr).toContain("  = red\n  = last\n");
    expect(stderr).not.toMatch(/\u001b|\u241b\[31mred/);
  });

  it.each(["GITHUB_ACTIONS", "TF_BUILD", "GITLAB_CI", "BUILDKITE", "TEAMCITY_VERSION", "NO_SERVICE"])(
    "is obeyed by no service, whatever prints it (%s)",
    async (service) => {
      const text = dockerfile("true");
      using project = new Project({ Dockerfile: text, Bad: dockerfile("false") });
      const run = async (...words: string[]): Promise<Ended> => {
        const ended = await tsbuildWith(project, words, { [service]: "true" });
        const both = drawn(ended.stdout + ended.stderr).replaceAll(
          /\u001b\[0Ksection_(?:start|end):\d+:tsbuild_\d+(?:\[collapsed=true\])?\r\u001b\[0K|^##teamcity\[block.*$/gm,
          "",
        );
        expect([words, controls(both), obeyed(both)]).toEqual([words, [], []]);
        if (service === "BUILDKITE") expect(both).not.toMatch(/^--- group/m);
        return ended;
      };
      const value = String(JSON.parse(`"${label}"`));
      await run("-t", "e", "--label", `l=${value}`, ".");
      expect((await run("logs", "e")).stdout).toContain("shown\nshown\n\ufffd2Jshown\n\u001b[31mred\u001b[0m\nx\n");
      const path = (await run("logs", "e", "--path")).stdout.trim();
      expect(readFileSync(path, "latin1")).toContain("\u001b]52;c;aGk=\u0007");
      expect(JSON.parse((await run("inspect", "e")).stdout)[0].Config.Labels.l).toBe(value);
      await run("inspect", "-f", "{{.Config.Labels.l}}", "e");
      expect(JSON.parse((await run("inspect", "-f", "{{json .Config.Labels.l}}", "e")).stdout)).toBe(value);
      for (const words of [["history", "--no-trunc", "e"], ["why", "e"], ["images"]]) await run(...words);
      await run("history", "--no-trunc", "--format", "{{.CreatedBy}}", "e");
      await run("-f", "Bad", ".");
      await run("-q", "-f", "Bad", ".");
      await run("logs", "--", project.directory);
      await run("rmi", value);
      await run(value);
    },
  );
});

describe("tsbuild run", () => {
  it("passes on what the program writes as it is", async () => {
    using project = new Project({ Dockerfile: fromBusybox });
    await tsbuild(project, ["-q", "-t", "e", "."]);
    const { stdout } = await tsbuild(project, ["run", "e", "printf", String.raw`\033]0;t\007\r::a::b`]);
    expect(stdout).toBe("\u001b]0;t\u0007\r::a::b");
  });
});
