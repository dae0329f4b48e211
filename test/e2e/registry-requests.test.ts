import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Lan } from "../rig/lan.ts";
import { Project } from "../rig/project.ts";
import { requestRows, type RequestRow } from "../rig/request-rows.ts";
import { environmentFor, imageOf, toldBy } from "../rig/request-run.ts";

const insecure = ["--insecure-registry", "reg.test:5000"];

async function command(row: RequestRow, project: Project): Promise<readonly string[]> {
  const { command: what = "pull", flags = [], url = "" } = row;
  if (what === "pull") return ["pull", ...insecure, ...flags, imageOf(row)];
  if (what === "push") {
    const { error } = await project.build({ tags: [imageOf(row)] });
    expect(error).toBeUndefined();
    return ["push", ...insecure, ...flags, imageOf(row)];
  }
  writeFileSync(join(project.directory, "Dockerfile"), `FROM scratch\nADD ${url} /\n`);
  return ["build", ...flags, project.directory];
}

describe("what is sent where", () => {
  let lan: Lan;
  beforeAll(async () => {
    lan = await Lan.start();
  });
  afterAll(async () => await lan[Symbol.asyncDispose]());

  it.each(requestRows.map((row, at) => ({ ...row, at: at + 1 })))("$at $given: $sent", async (row) => {
    using project = new Project({ Dockerfile: "FROM scratch\nCOPY file /\n", file: "content" });
    const words = await command(row, project);
    const env = { ...environmentFor(row, lan, project), TSBUILD_ROOT: project.store };
    const { code, output, requests } = await lan.run(row.rules, [resolve("builder/cli/tsbuild"), ...words], env);
    expect({
      told: toldBy(requests),
      error: code === 0 ? undefined : (/error\[(\w+)\]/.exec(output)?.[1] ?? output),
    }).toEqual({ told: row.told, error: row.code });
  });
});

/** The table of the document is this one. */
describe("docs/registry-requests.md", () => {
  it("has these rows", () => {
    const lines = readFileSync("docs/registry-requests.md", "utf8").split("\n");
    const text = ({ given, sent, skopeo = "" }: RequestRow, at: number): string =>
      `| ${at + 1} | ${given} | ${sent} | ${skopeo} |`.replaceAll(/ +/g, " ");
    const found = lines.filter((line) => /^\| \d/.test(line)).map((line) => line.replaceAll(/ +/g, " "));
    expect(found).toEqual(requestRows.map(text));
  });
});
