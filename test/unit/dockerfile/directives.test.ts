import { describe, expect, it } from "vitest";
import { parseDockerfile } from "../../../builder/dockerfile/parse.ts";

const parse = (text: string, syntax?: string): ReturnType<typeof parseDockerfile> =>
  parseDockerfile(text, "Dockerfile", { syntax });
const names = (text: string): readonly string[] => parse(text).directives.map(({ name, value }) => `${name}=${value}`);

describe("# syntax=", () => {
  it.each([
    "docker/dockerfile",
    "docker/dockerfile:1",
    "docker/dockerfile:1.7-labs",
    "docker.io/docker/dockerfile:1",
    "index.docker.io/docker/dockerfile",
    "docker/dockerfile-upstream:master-labs",
    `docker/dockerfile:1@sha256:${"a".repeat(64)}`,
    "docker/dockerfile:1 some words for the frontend",
    "dockerfile.v0",
  ])("accepts %s", (value) => {
    expect(parse(`# syntax=${value}\nFROM a`).directives).toMatchObject([{ name: "syntax", value }]);
  });

  it.each([
    ["# syntax=example/frontend:1\nFROM a", 1],
    ["# syntax=docker/dockerfileX\nFROM a", 1],
    ["# syntax=registry.example/docker/dockerfile\nFROM a", 1],
    ["# check=skip=all\n#SYNTAX = other\nFROM a", 2],
    ["#!/usr/bin/env frontend\n# syntax=other\nFROM a", 2],
    ["// syntax=other\nwhat it reads", 1],
    ["#!/usr/bin/x\n// syntax=other\n", 2],
    ['{"syntax": "other", "more": []}', 1],
  ])("refuses %j with its place", (text, line) => {
    const start = expect.objectContaining({ line });
    expect(() => parse(text)).toThrow(
      expect.objectContaining({ code: "E_SYNTAX_FRONTEND", location: expect.objectContaining({ start }) }),
    );
    const unread = (): unknown => parse(text, "docker/dockerfile");
    if (text.includes("FROM")) expect(unread).not.toThrow();
    else expect(unread).toThrow(expect.objectContaining({ code: "E_INSTRUCTION_UNKNOWN" }));
  });

  it("is a comment anywhere but at the top, and behind white space", () => {
    expect(names("FROM a\n# syntax=other\n")).toEqual([]);
    expect(names("# note\n# syntax=other\nFROM a")).toEqual([]);
    expect(names("\n# syntax=other\nFROM a")).toEqual([]);
    expect(() => parse(" # syntax=other\nFROM a")).not.toThrow();
  });
});

describe("directives", () => {
  it.each([
    ["#escape=`\nFROM a", ["escape=`"]],
    ["#   EsCaPe  =  `  \nFROM a", ["escape=`"]],
    ["  # escape=`\r\nFROM a", ["escape=`"]],
    [
      "# escape=`\n# check=error=true\n# syntax=docker/dockerfile\nFROM a",
      ["escape=`", "check=error=true", "syntax=docker/dockerfile"],
    ],
    ["# escape=`\n# unknown=1\n# check=skip=all\nFROM a", ["escape=`"]],
    ["#!/bin/sh\n# check=skip=all\n# escape=`\nFROM a", ["check=skip=all"]],
    ["#\n# escape=`\nFROM a", []],
    ["# escape\nFROM a", []],
  ])("reads %j", (text, found) => {
    expect(names(text)).toEqual(found);
    expect(parse(text).escape).toBe(found.includes("escape=`") ? "`" : "\\");
  });

  it.each([
    "# escape=x\nFROM a",
    "# escape=\\\n# escape=\\\nFROM a",
    "# check=a\n# Check=b\nFROM a",
    "# escape=``\nFROM a",
  ])("refuses %j", (text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: "E_DIRECTIVE" }));
  });
});
