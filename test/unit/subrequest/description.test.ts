import { describe, expect, it } from "vitest";
import { parseDockerfile } from "../../../builder/dockerfile/parse.ts";
import type { Instruction } from "../../../builder/dockerfile/ast.ts";
import { description } from "../../../builder/engine/subrequest/description.ts";

/** `NAME=description` of each ARG and stage, in the order of the file. */
function descriptions(text: string): readonly string[] {
  const { globalArgs, stages } = parseDockerfile(text, "Dockerfile");
  const ofArgs = (instruction: Instruction): readonly string[] =>
    instruction.kind === "ARG"
      ? instruction.args.map(({ key }) => `${key}=${description(instruction.comments, key)}`)
      : [];
  return [
    ...globalArgs.flatMap(ofArgs),
    ...stages.flatMap(({ name = "", from, instructions }) => [
      `${name}=${description(from.comments, name)}`,
      ...instructions.flatMap(ofArgs),
    ]),
  ];
}

describe("what a comment says of a stage or ARG", () => {
  // What BuildKit's instructions.Parse() finds, but for the indented comment, which it does not know.
  it.each<[string, readonly string[]]>([
    ["# app is what\nFROM a AS App", ["app=is what"]],
    ["# App is what\nFROM a AS App", ["app="]],
    ["# other\n# app second\n#app third\nFROM a AS app", ["app=second"]],
    ["# app first\n\nFROM a AS app", ["app=first"]],
    ["# app first\n#\n# app second\nFROM a AS app", ["app=second"]],
    ["# app first\n#\nFROM a AS app", ["app="]],
    ["# syntax=docker/dockerfile:1\n# app first\nFROM a AS app", ["app=first"]],
    ["# check=skip=all\n# app x\nFROM a AS app", ["app=x"]],
    ["#   app   spaced   text  \nFROM a AS app", ["app=  spaced   text"]],
    ["  # app indented\nFROM a AS app", ["app=indented"]],
    ["# app\ttab\nFROM a AS app", ["app="]],
    ["# app\nFROM a AS app", ["app="]],
    ["# app: colon\nFROM a AS app", ["app="]],
    ["## app two signs\nFROM a AS app", ["app="]],
    ["# app is \\\nFROM a AS app", ["app=is \\"]],
    ["# app é ü\nFROM a AS app", ["app=é ü"]],
    ["# app is\nFROM a\n# stage-1 is\nFROM a", ["=", "="]],
    [
      "# A one\n# B two\nARG A=1 B=2\nFROM a\n# C three\nARG C D\n# A four\nARG A",
      ["A=one", "B=two", "=", "C=three", "D=", "A=four"],
    ],
    ["FROM a\n# x of another\nRUN x\nARG x", ["=", "x="]],
    ["FROM a\nRUN a \\\n # x inside\n b\nARG x", ["=", "x="]],
    ["FROM a\nARG y \\\n # x inside\n x", ["=", "y=", "x="]],
    ["FROM a\nRUN <<E\n# x of a body\nE\nARG x", ["=", "x="]],
  ])("of %j", (text, expected) => expect(descriptions(text)).toEqual(expected));
});
