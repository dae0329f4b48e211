import { describe, expect, it } from "vitest";
import { parseDockerfile } from "../../../builder/dockerfile/parse.ts";

const parse = (text: string): ReturnType<typeof parseDockerfile> => parseDockerfile(text, "Dockerfile");

describe("parseDockerfile()", () => {
  it("joins continuation lines, skips comments and empty lines inside them, and keeps where the empty ones are", () => {
    const ast = parse("FROM a\nRUN one \\\n# comment\n\n  two \\\n three\n");
    const [run] = ast.stages[0]?.instructions ?? [];
    expect(run).toMatchObject({ kind: "RUN", command: { form: "shell", text: "one   two  three" } });
    expect(run?.emptyLines.map(({ start }) => start.line)).toEqual([4]);
  });

  it("reads a byte order mark, CRLF, lower case and leading white space", () => {
    const ast = parse("\ufeff# x\r\n  from a as B\r\n run echo hi\r\n");
    expect(ast.stages[0]).toMatchObject({ name: "b", from: { image: { raw: "a" } } });
    expect(ast.stages[0]?.instructions[0]).toMatchObject({ command: { text: "echo hi" } });
  });

  it.each(["RUN --constructor=x a", "USER --__proto__=x a", "COPY --toString a b"])("knows no flag of %s", (line) => {
    expect(() => parse(`FROM a\n${line}`)).toThrow(expect.objectContaining({ code: "E_FLAG_UNKNOWN" }));
  });

  it("takes a file of 400,000 comments, lines of white space and carriage returns in linear time", () => {
    const white = " ".repeat(500_000);
    const text = `# syntax=docker/dockerfile:1${white}\r${"# c\n".repeat(400_000)}FROM a\nRUN ${"\r".repeat(500_000)}x\r`;
    expect(() => parse(text)).not.toThrow();
    expect(() => parse(`FROM a\nCOPY <<${white}x<y /d`)).not.toThrow();
  });

  it("takes the escape directive only at the very top", () => {
    expect(parse("# escape=`\nFROM a\nRUN a `\n b").stages[0]?.instructions[0]).toMatchObject({
      command: { text: "a  b" },
    });
    expect(parse("# note\n# escape=`\nFROM a").escape).toBe("\\");
  });

  it("tells exec form from shell form", () => {
    const ast = parse('FROM a\nCMD ["a b", "c"]\nENTRYPOINT ["a" , \'b\']');
    expect(ast.stages[0]?.instructions).toMatchObject([
      { kind: "CMD", command: { form: "exec", args: ["a b", "c"] } },
      { kind: "ENTRYPOINT", command: { form: "shell", text: "[\"a\" , 'b']" } },
    ]);
  });

  it.each([
    ["RUN <<EOF\nEOF", [{ name: "EOF", fd: 0, expand: true, chomp: false, content: "" }]],
    ["RUN << EOF\nx\nEOF", [{ name: "EOF", content: "x\n" }]],
    ["RUN <<-EOF\n\tx\n\t\tEOF", [{ name: "EOF", chomp: true, body: "\tx\n", content: "x\n" }]],
    [
      "RUN 3<<A 4<<'B' cmd\nA\nB",
      [
        { name: "A", fd: 3, expand: true },
        { name: "B", fd: 4, expand: false },
      ],
    ],
    ['RUN <<"a b"\nx\na b', [{ name: "a b", expand: false }]],
    ["RUN <<E'O'F\nEOF", [{ name: "EOF", expand: false }]],
    ["RUN <<\\EOF\nEOF", [{ name: "EOF", expand: true }]],
    ["RUN cat <<EOF; echo\nEOF;", [{ name: "EOF;" }]],
    ["RUN <<EOF\r\na\r\nEOF\r", [{ name: "EOF", content: "a\r\n" }]],
    ["RUN <<A <<B \\\n <<C\nA\nB\nC", [{ name: "A" }, { name: "B" }, { name: "C" }]],
    ["ADD <<A <<A /d/\n1\nA\n2\nA", [{ content: "2\n" }, { content: "2\n" }]],
    ["ONBUILD RUN <<A\nx\nA", [{ name: "A", content: "x\n" }]],
    ["RUN a<<EOF", []],
    ["RUN <<- EOF", []],
    ["RUN <<<EOF", []],
    ["RUN '<<EOF'", []],
    ["RUN '' <<''", []],
    ['RUN echo " <<EOF', []],
    ["ONBUILD RUN echo ' <<EOF", []],
    ["RUN $(( 1 << 3 ))\n3\n", [{ name: "3" }]],
    ['RUN ["<<EOF"]', []],
    ['ONBUILD RUN ["<<EOF"]', []],
    ["CMD <<EOF", []],
  ])("finds the heredocs of %j", (text, heredocs) => {
    expect(parse(`FROM a\n${text}\n`).stages[0]?.instructions[0]?.heredocs).toMatchObject(heredocs);
  });

  it.each([
    ["RUN <<EOF\nbody", "E_HEREDOC", 2],
    ["RUN <<A <<B\nA\n", "E_HEREDOC", 2],
    ["RUN <<EOF\n\tEOF\n", "E_HEREDOC", 2],
    ["COPY x <<EOF\nEOF\n", "E_DOCKERFILE_SYNTAX", 2],
    ["COPY <<A <<B\nA\nB\n", "E_DOCKERFILE_SYNTAX", 2],
    ["COPY <<EOF\nEOF\n", "E_DOCKERFILE_SYNTAX", 2],
    ["COPY << EOF /d\nEOF\n", "E_HEREDOC", 2],
    ["COPY <<a/b /d\na/b\n", "E_HEREDOC", 2],
    ["COPY <<.. /d\n..\n", "E_HEREDOC", 2],
    ["RUN a\n\\\n", "E_DOCKERFILE_SYNTAX", 3],
    ["RUN a\n\\\n  \\\n# x\n", "E_DOCKERFILE_SYNTAX", 3],
  ])("refuses %j", (text, code, line) => {
    expect(() => parse(`FROM a\n${text}`)).toThrow(
      expect.objectContaining({
        code,
        location: expect.objectContaining({ start: expect.objectContaining({ line }) }),
      }),
    );
  });

  it("keeps heredoc bodies out of the instructions", () => {
    const ast = parse(
      "FROM a\nRUN <<EOF\nRUN not an instruction\nEOF\nCOPY <<-'X' <<Y /d/\n\ttab\n\tX\nbody $v\nY\nUSER u",
    );
    expect(ast.stages[0]?.instructions).toMatchObject([
      { kind: "RUN", heredocs: [{ name: "EOF", expand: true, content: "RUN not an instruction\n" }] },
      {
        kind: "COPY",
        heredocs: [
          { name: "X", expand: false, chomp: true, content: "tab\n" },
          { name: "Y", expand: true, content: "body $v\n" },
        ],
      },
      { kind: "USER" },
    ]);
  });

  it("reads ENV in both forms", () => {
    const ast = parse('FROM a\nENV a=1 b="x y" c=d\\ e\nENV old value with spaces');
    expect(ast.stages[0]?.instructions).toMatchObject([
      {
        legacy: false,
        pairs: [
          { key: "a", value: "1" },
          { key: "b", value: '"x y"' },
          { key: "c", value: "d\\ e" },
        ],
      },
      { legacy: true, pairs: [{ key: "old", value: "value with spaces" }] },
    ]);
  });

  it("gives the place of a word on a continuation line", () => {
    const ast = parse("FROM a\nCOPY one \\\n  two /d/");
    const copy = ast.stages[0]?.instructions[0];
    expect(copy).toMatchObject({
      sources: [{ raw: "one" }, { raw: "two", location: { start: { line: 3, column: 3 } } }],
    });
  });

  const refused: readonly (readonly [string, string, string, number, number])[] = [
    ["an unknown instruction", "FROM a\nRUNN x", "E_INSTRUCTION_UNKNOWN", 2, 1],
    ["an unknown flag", "FROM a\nCOPY --frm=b x y", "E_FLAG_UNKNOWN", 2, 6],
    ["an unterminated heredoc", "FROM a\nRUN <<EOF\nx", "E_HEREDOC", 2, 5],
    ["an instruction before FROM", "RUN x", "E_NO_FROM", 1, 1],
    ["an empty file", "# nothing\n", "E_DOCKERFILE_EMPTY", 1, 1],
    ["ENV without a value", "FROM a\nENV x", "E_DOCKERFILE_SYNTAX", 2, 1],
    ["a pair without =", "FROM a\nENV a=1 b", "E_DOCKERFILE_SYNTAX", 2, 9],
    ["COPY without a destination", "FROM a\nCOPY x", "E_DOCKERFILE_SYNTAX", 2, 1],
    ["ONBUILD FROM", "FROM a\nONBUILD FROM b", "E_ONBUILD", 2, 9],
    ["SHELL in shell form", "FROM a\nSHELL sh -c", "E_DOCKERFILE_SYNTAX", 2, 1],
    ["a JSON array with a number", 'FROM a\nENTRYPOINT ["a", 1]', "E_DOCKERFILE_SYNTAX", 2, 1],
    ["an empty list of volumes", "FROM a\nVOLUME []", "E_DOCKERFILE_SYNTAX", 2, 1],
    ["a foreign frontend", "# syntax=example.com/front\nFROM a", "E_SYNTAX_FRONTEND", 1, 1],
    ["two escape directives", "# escape=`\n# escape=`\nFROM a", "E_DIRECTIVE", 2, 1],
  ];
  for (const [what, text, code, line, column] of refused) {
    it(`refuses ${what} at its place`, () => {
      expect(() => parse(text)).toThrow(
        expect.objectContaining({ code, location: expect.objectContaining({ start: { line, column } }) }),
      );
    });
  }

  it("suggests the instruction that was meant", () => {
    expect(() => parse("FROM a\nRUNN x")).toThrow(expect.objectContaining({ hint: "did you mean `RUN`?" }));
  });
});
