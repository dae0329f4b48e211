import { describe, expect, it } from "vitest";
import { callOf, type CallRequest } from "../../../builder/cli/commands/build/call/call-flag.ts";
import { checkText } from "../../../builder/cli/commands/build/call/check-text.ts";
import { sourceLines } from "../../../builder/cli/commands/build/call/source-lines.ts";
import { outlineText, targetsText } from "../../../builder/cli/commands/build/call/tables.ts";
import { table } from "../../../builder/cli/commands/table.ts";
import { parseLine } from "../../../builder/cli/flags/parse.ts";
import type { SourceLocation } from "../../../builder/base/location.ts";

const call = (line: string): CallRequest | undefined =>
  callOf(parseLine(table.named("build"), [...line.split(" "), "."]).flags);

function lines(first: number, last: number = first): SourceLocation {
  return { file: "Dockerfile", start: { line: first, column: 1 }, end: { line: last, column: 2 } };
}

describe("--call", () => {
  it.each([
    ["--call=check", { name: "check", format: "text", ignoreStatus: false }],
    ["--call lint", { name: "check", format: "text", ignoreStatus: false }],
    ["--check", { name: "check", format: "text", ignoreStatus: false }],
    ["--check --call=check,format=json", { name: "check", format: "json", ignoreStatus: false }],
    ["--call=format=json,outline", { name: "outline", format: "json", ignoreStatus: false }],
    ["--call=targets,format=text", { name: "targets", format: "text", ignoreStatus: false }],
    ["--call=check,ignorestatus=true", { name: "check", format: "text", ignoreStatus: true }],
    ["--call=build", undefined],
    ["--call=", undefined],
    ["--check=false", undefined],
  ])("%s", (line, expected) => {
    expect(call(line)).toEqual(expected);
  });

  it.each([
    ["--call=chek", 'Flag --call cannot be "chek"'],
    ["--call=constructor", 'Flag --call cannot be "constructor"'],
    ["--call=check,outline", "Flag --call names two things: check,outline"],
    ["--call=format=json", "Flag --call says nothing to call: format=json"],
    ["--call=check,format=yaml", "Flag --call cannot have format=yaml"],
    ["--call=check,ignorestatus=maybe", "Flag --call cannot have ignorestatus=maybe"],
    ["--check --call=outline", "Cannot use --check together with --call=outline"],
    ["--check --call=build", "Cannot use --check together with --call=build"],
  ])("%s is refused", (line, message) => {
    expect(() => call(line)).toThrow(message);
  });
});

describe("sourceLines()", () => {
  const source = "one\ntwo\nthree\nfour\nfive\nsix\nseven\n";

  it.each([
    [lines(4), [2, 3, 4, 5, 6]],
    [lines(1), [1, 2, 3]],
    [lines(2), [1, 2, 3, 4]],
    [lines(7), [5, 6, 7, 8]],
    [lines(3, 4), [2, 3, 4, 5]],
    [lines(1, 2), [1, 2, 3]],
    [lines(1, 7), [1, 2, 3, 4, 5, 6, 7, 8]],
  ])("shows as many neighbours as BuildKit", (location, shown) => {
    const rows = sourceLines(source, location).split("\n").slice(2, -2);
    expect(rows.map((row) => Number(row.slice(0, 4)))).toEqual(shown);
    const marked = rows.filter((row) => row.includes(">>>")).map((row) => Number(row.slice(0, 4)));
    expect(marked).toEqual(shown.filter((line) => line >= location.start.line && line <= location.end.line));
  });

  it("shows control characters and does not obey them", () => {
    expect(sourceLines("ADD https://me:secret@example.com/x /\n", lines(1))).not.toContain("secret");
    expect(sourceLines("FROM a\u001b[31m\tb\r\n", lines(1))).toContain(" | >>> FROM a␛[31m\tb\n");
  });

  it("cuts an instruction of very many lines", () => {
    const text = sourceLines("x\n".repeat(100_000), lines(1, 100_000));
    expect(text.split("\n").length).toBeLessThan(110);
    expect(text).toContain("\n  ...\n");
  });
});

describe("checkText()", () => {
  const nothing = { file: "Dockerfile", source: "FROM a\n", warnings: [], own: [], error: undefined, notes: [] };
  const warning = { rule: "R", description: "d", message: "m", location: lines(1) };

  it("counts as buildx does", () => {
    expect(checkText(nothing)).toBe("Check complete, no warnings found.\n");
    expect(checkText({ ...nothing, warnings: [warning] })).toBe(
      "Check complete, 1 warning has been found!\n\nWARNING: R\nm\nDockerfile:1\n--------------------\n   1 | >>> FROM a\n   2 |     \n--------------------\n",
    );
    const two = checkText({ ...nothing, warnings: [{ ...warning, url: "https://u" }, warning] });
    expect(two).toContain("Check complete, 2 warnings have been found!\n\nWARNING: R - https://u\nm\n");
  });
});

describe("tables of a call", () => {
  it("are those of buildx", () => {
    const outline = {
      file: "Dockerfile",
      source: "",
      name: "app",
      description: "what it is",
      args: [{ name: "VERSION", value: "1", description: "of it", location: lines(1) }],
      secrets: [{ name: "token", required: true, location: lines(2) }],
      ssh: [{ name: "default", required: false, location: lines(2) }],
      caches: [{ id: "/root/.npm", location: lines(2) }],
      notes: [],
    };
    expect(outlineText(outline).split("\n")).toEqual([
      "TARGET:      app",
      "DESCRIPTION: what it is",
      "",
      "BUILD ARG   VALUE   DESCRIPTION",
      "VERSION     1       of it",
      "",
      "SECRET   REQUIRED",
      "token    true",
      "",
      "SSH       REQUIRED",
      "default   ",
      "",
      "CACHE MOUNT",
      "/root/.npm",
      "",
      "",
    ]);
    const target = {
      name: "a",
      isDefault: false,
      description: "d",
      base: "x",
      platform: undefined,
      location: lines(1),
    };
    expect(targetsText({ file: "", source: "", targets: [target, { ...target, name: "", isDefault: true }] })).toBe(
      "TARGET    DESCRIPTION\na         d\n(default) d\n",
    );
  });
});
