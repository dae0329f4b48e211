import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { familiarName, splitName } from "../../../builder/cli/format/names.ts";
import { inspectView } from "../../../builder/cli/format/inspect-view.ts";
import { formatOne, formatRows } from "../../../builder/cli/format/output.ts";
import { dockerSize } from "../../../builder/cli/format/size.ts";
import { parseBytes } from "../../../builder/base/byte-size.ts";
import { compileTemplate } from "../../../builder/cli/format/template.ts";
import type { InspectedImage } from "../../../store/image/inspect.ts";
import { timeAgo } from "../../../builder/cli/format/time.ts";

const image = {
  ID: "sha256:ab",
  RepoTags: ["app:latest", "app:1"],
  Size: 10,
  Config: { Env: ["A=1", "B=2"], Labels: { "org.x": "y", b: "c" }, Cmd: null },
};

describe("compileTemplate()", () => {
  it.each([
    ["{{.ID}}", "sha256:ab"],
    ["{{ .Config.Env }}", "[A=1 B=2]"],
    ["{{json .Config.Env}}", '["A=1","B=2"]'],
    ["{{json .Config.Cmd}}", "null"],
    ["{{.Config.Labels}}", "map[b:c org.x:y]"],
    ["{{range .RepoTags}}<{{.}}>{{end}}", "<app:latest><app:1>"],
    ["{{range .RepoTags}}{{println .}}{{end}}", "app:latest\napp:1\n"],
    ["{{range $i, $e := .Config.Env}}{{$i}}={{$e}};{{end}}", "0=A=1;1=B=2;"],
    ["{{range $k, $v := .Config.Labels}}{{$k}}:{{$v}} {{end}}", "b:c org.x:y "],
    ["{{range .Config.Cmd}}x{{else}}none{{end}}", "none"],
    ["{{if .Config.Cmd}}a{{else if eq .Size 10}}b{{else}}c{{end}}!", "b!"],
    ["{{with .Config}}{{len .Env}}{{end}}", "2"],
    ["{{index .RepoTags 1}}", "app:1"],
    ['{{index .Config.Labels "org.x"}}', "y"],
    ['{{join .RepoTags ", "}}', "app:latest, app:1"],
    ['{{.RepoTags | len | printf "%3d|"}}', "  2|"],
    ["{{(index .RepoTags 0) | upper}}", "APP:LATEST"],
    ["{{$x := .Size}}{{range .RepoTags}}{{$x}}{{$.ID}} {{end}}", "10sha256:ab 10sha256:ab "],
    ["{{if and .ID (not .Config.Cmd)}}yes{{end}}", "yes"],
    ["a {{- 1 -}} b", "a1b"],
    ['{{"}}"}}{{/* left out */}}', "}}"],
    ["{{.Size}}\\t{{.ID}}", "10\tsha256:ab"],
    ['{{truncate .ID 6}} {{slice .ID 7}} {{join (split .ID ":") "/"}}', "sha256 ab sha256/ab"],
  ])("renders %s", (template, text) => {
    expect(compileTemplate(template)(image)).toBe(text);
  });

  it.each([
    "{{",
    "{{.ID",
    "{{end}}",
    "{{if .ID}}",
    "{{else}}",
    "{{nosuch .ID}}",
    "{{}}",
    "{{.ID .Size}}",
    "{{json . |}}",
    "{{(.ID}}",
  ])("refuses %s", (template) => {
    expect(() => compileTemplate(template)).toThrow(/Cannot read template/);
  });

  it("names the fields when one is not there", () => {
    expect(() => compileTemplate("{{.Id}}")(image)).toThrow(/no field \.Id/);
    expect(compileTemplate("{{.Config.Labels.nosuch}}")(image)).toBe("<no value>");
  });

  it("reaches nothing but own fields", () => {
    expect(() => compileTemplate("{{.constructor}}")({ A: 1 })).toThrow(/no field/);
    expect(compileTemplate("{{index . `__proto__`}}")({})).toBe("");
    expect(compileTemplate("{{index . `__proto__`}}")({ A: 1 })).toBe("<no value>");
  });
});

describe("inspectView()", () => {
  /** What docker's command 28.2.2 printed for `image inspect -f` of two images; null: it refused the template. */
  const { images, cases }: { images: Record<string, InspectedImage>; cases: [string, string, string | null][] } =
    JSON.parse(readFileSync("test/fixtures/go-templates.json", "utf8"));

  it.each(cases)("of %s makes %j what docker makes of it", (name, template, text) => {
    const image = images[name];
    if (image === undefined) throw new RangeError(name);
    const render = (): string => compileTemplate(template)(inspectView(image));
    if (text === null) expect(render).toThrow(expect.objectContaining({ code: "E_TEMPLATE" }));
    else expect(render()).toBe(text);
  });

  it("does not show in JSON what the image does not set", () => {
    const { bare } = images;
    if (bare === undefined) throw new RangeError("bare");
    expect(compileTemplate("{{json .}}")(inspectView(bare))).toBe(JSON.stringify(bare));
  });
});

describe("formatRows()", () => {
  const rows = [
    { ID: "1", Name: "日本" },
    { ID: "22", Name: "b\u001b[2J" },
  ];
  const columns = [
    { title: "NAME", field: "Name", cell: (row: { Name: string }) => row.Name },
    { title: "ID", field: "ID", cell: (row: { ID: string }) => row.ID },
  ];
  it("aligns columns by what the terminal shows and obeys no control character", () => {
    expect(formatRows(undefined, rows, columns)).toBe("NAME    ID\n日本    1\nb\u241b[2J   22\n");
  });

  it("prints JSON one object a line, templates one row a line, and a table of a template", () => {
    expect(formatRows("json", rows.slice(0, 1), columns)).toBe('{"ID":"1","Name":"日本"}\n');
    expect(formatRows("{{.ID}}", rows, columns)).toBe("1\n22\n");
    expect(formatRows("table {{.ID}}\\t{{.Name}}", rows.slice(0, 1), columns)).toBe("ID   NAME\n1    日本\n");
  });

  it("formats one value", () => {
    expect(formatOne("json", { A: 1 })).toBe('{"A":1}\n');
    expect(formatOne("{{.A}}", { A: 1 })).toBe("1\n");
  });
});

describe("sizes, times and names", () => {
  it.each([
    [0, "0B"],
    [999, "999B"],
    [1240, "1.24kB"],
    [117_000_000, "117MB"],
    [1_990_000_000, "1.99GB"],
  ])("prints %d bytes as %s", (bytes, text) => {
    expect(dockerSize(bytes)).toBe(text);
  });

  it.each([
    ["512m", 512 << 20],
    ["1.5g", 1.5 * 1024 ** 3],
    ["100", 100],
    ["2GiB", 2 * 1024 ** 3],
    ["64kb", 65_536],
    ["x", undefined],
    ["", undefined],
  ])("reads %j", (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes);
  });

  it.each([
    [0.5, "Less than a second ago"],
    [1, "1 second ago"],
    [59, "59 seconds ago"],
    [90, "About a minute ago"],
    [150, "2 minutes ago"],
    [3700, "About an hour ago"],
    [3600 * 5, "5 hours ago"],
    [86_400 * 3, "3 days ago"],
    [86_400 * 20, "2 weeks ago"],
    [86_400 * 90, "3 months ago"],
    [86_400 * 800, "2 years ago"],
  ])("says %d seconds as %s", (seconds, text) => {
    expect(timeAgo(0, seconds * 1000)).toBe(text);
  });

  it("shortens names of docker.io", () => {
    expect(familiarName("docker.io/library/app:1")).toBe("app:1");
    expect(familiarName("docker.io/team/app:1")).toBe("team/app:1");
    expect(splitName("localhost:5000/a/b:1")).toEqual({ repository: "localhost:5000/a/b", tag: "1" });
    expect(splitName("localhost:5000/a")).toEqual({ repository: "localhost:5000/a", tag: "<none>" });
  });
});
