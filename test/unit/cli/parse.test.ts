import { describe, expect, it } from "vitest";
import type { CommandSpec } from "../../../builder/cli/flags/command.ts";
import { dispatch } from "../../../builder/cli/start/dispatch.ts";
import { commandHelp, generalHelp } from "../../../builder/cli/help/help.ts";
import { table } from "../../../builder/cli/commands/table.ts";
import { parseLine } from "../../../builder/cli/flags/parse.ts";
import { editDistance } from "../../../builder/cli/base/suggest.ts";

const build = table.named("build");
const run = table.named("run");
const never = (): boolean => false;

function failure(act: () => unknown): { readonly code: string; readonly message: string; readonly hint: string } {
  try {
    act();
  } catch (error) {
    if (error instanceof Error && "code" in error && "hint" in error) {
      return { code: String(error.code), message: error.message, hint: String(error.hint) };
    }
    throw error;
  }
  throw new Error("It did not fail");
}

describe("parseLine()", () => {
  const cases: readonly (readonly [string, CommandSpec, string, Record<string, unknown>, readonly string[]])[] = [
    ["repeated flags", build, "-t a -t b .", { tag: ["a", "b"] }, ["."]],
    ["a value after = and as the next word", build, "--target=x --file y .", { target: ["x"], file: ["y"] }, ["."]],
    ["a value glued to a short flag", build, "-tapp -f=D .", { tag: ["app"], file: ["D"] }, ["."]],
    ["flags after the operand", build, ". -t app", { tag: ["app"] }, ["."]],
    ["- as a value", build, "-o - .", { output: ["-"] }, ["."]],
    ["a flag-like value", build, "--build-arg --x .", { "build-arg": ["--x"] }, ["."]],
    ["--pull alone and with a policy", build, "--pull .", { pull: ["always"] }, ["."]],
    ["--pull=never", build, "--pull=never .", { pull: ["never"] }, ["."]],
    ["booleans with a value", run, "--rm=false --init=1 img", { rm: ["false"], init: ["true"] }, ["img"]],
    ["a cluster", run, "-it --rm img", { interactive: ["true"], tty: ["true"], rm: ["true"] }, ["img"]],
    ["a cluster that ends in a value", run, "-ite A=1 img", { env: ["A=1"], tty: ["true"] }, ["img"]],
    [
      "flags after IMAGE as the command's",
      run,
      "-i img sh -c x --rm",
      { interactive: ["true"] },
      ["img", "sh", "-c", "x", "--rm"],
    ],
    ["words after --", run, "-- img -t", {}, ["img", "-t"]],
    ["-h of run as the host name", run, "-h box img", { hostname: ["box"] }, ["img"]],
    ["an unwanted flag set to what happens anyway", build, "--provenance=false --sbom=false .", {}, ["."]],
    ["what docker build did and BuildKit does anyway", build, "--rm --force-rm=true .", {}, ["."]],
  ];
  it.each(cases)("reads %s", (_, command, line, flags, operands) => {
    const parsed = parseLine(command, line.split(" "));
    for (const [name, values] of Object.entries(flags)) expect(parsed.flags.list(name)).toEqual(values);
    expect(parsed.operands).toEqual(operands);
  });

  const refused: readonly (readonly [string, CommandSpec, string, string, string])[] = [
    ["an unknown flag with the one that was meant", build, "--taq x .", "E_OPTION_UNKNOWN", "--tag"],
    ["an unknown short flag", build, "-z .", "E_OPTION_UNKNOWN", "-z"],
    [
      "a flag of docker that is not implemented, by name",
      build,
      "--attest type=sbom .",
      "E_OPTION_NOT_IMPLEMENTED",
      "--attest",
    ],
    ["provenance when it is wanted", build, "--provenance=true .", "E_OPTION_NOT_IMPLEMENTED", "--provenance"],
    [
      "a limit of docker build, with what it is here",
      build,
      "-m 1g .",
      "E_OPTION_NOT_IMPLEMENTED",
      "--resource memory=",
    ],
    ["containers that are to stay", build, "--rm=false .", "E_OPTION_NOT_IMPLEMENTED", "--rm"],
    ["a short flag of docker run", run, "-d img", "E_OPTION_NOT_IMPLEMENTED", "-d"],
    ["a missing value", build, ". -t", "E_USAGE", "-t needs a value"],
    ["a truth value that is none", run, "--rm=perhaps img", "E_USAGE", "perhaps"],
    [
      "a choice that is none, with the one that was meant",
      build,
      "--progress=plian .",
      "E_USAGE",
      "did you mean plain?",
    ],
    ["no operand", build, "-t app", "E_USAGE", "takes 1 argument, got 0"],
    ["too many operands", build, ". x", "E_USAGE", "got 2"],
  ];
  it.each(refused)("refuses %s", (_, command, line, code, text) => {
    const error = failure(() => parseLine(command, line.split(" ")));
    expect(error.code).toBe(code);
    expect(error.message + error.hint).toContain(text);
  });
});

describe("dispatch()", () => {
  it.each([
    ["-t app .", "build", ["-t", "app", "."]],
    [".", "build", ["."]],
    ["build -t app .", "build", ["-t", "app", "."]],
    ["--root /s run -it img", "run", ["--root", "/s", "-it", "img"]],
    ["--debug images", "images", ["--debug"]],
    ["./images", "build", ["./images"]],
    ["ls -q", "images", ["-q"]],
    ["https://host/x.tar", "build", ["https://host/x.tar"]],
    ["git@host:x", "build", ["git@host:x"]],
    ["image ls -q", "images", ["-q"]],
    ["image rm app", "rmi", ["app"]],
    ["--debug buildx build .", "build", ["--debug", "."]],
    ["container run app", "run", ["app"]],
    ["bud --layers .", "build", ["--layers", "."]],
  ])("takes %s for tsbuild %s", (line, name, words) => {
    const request = dispatch(table, line.split(" "), never);
    expect(request).toMatchObject({ kind: "command", words });
    expect(request.kind === "command" && request.command.name).toBe(name);
  });

  it.each(["image", "image nosuch", "buildx", "constructor name"])("does not take %s for a command", (line) => {
    expect(failure(() => dispatch(table, line.split(" "), never)).code).toMatch(/^E_COMMAND_/);
    expect(dispatch(table, line.split(" "), () => true)).toMatchObject({ kind: "command", words: line.split(" ") });
  });

  it("takes a word for a directory only if it is one", () => {
    expect(dispatch(table, ["app"], () => true)).toMatchObject({ kind: "command", words: ["app"] });
    const error = failure(() => dispatch(table, ["imges"], never));
    expect([error.code, error.hint]).toEqual(["E_COMMAND_UNKNOWN", expect.stringContaining("tsbuild images?")]);
  });

  it("refuses a command of docker that is not implemented by name", () => {
    expect(failure(() => dispatch(table, ["exec", "x"], never)).code).toBe("E_COMMAND_NOT_IMPLEMENTED");
  });

  it("shows help and the version", () => {
    expect(dispatch(table, [], never)).toEqual({ kind: "help", command: undefined });
    expect(dispatch(table, ["--version"], never)).toEqual({ kind: "version" });
    expect(dispatch(table, ["help", "run"], never)).toEqual({ kind: "help", command: run });
    expect(parseLine(build, ["--help"]).help).toBe(true);
  });
});

describe("the command table", () => {
  it.each(table.commands)("explains every flag of $name, in lines of at most 100 columns", (command) => {
    const text = commandHelp(command);
    const lines = text.trimEnd().split("\n");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
    for (const { name, help } of command.flags) {
      const line = lines.find((one) => one.includes(`--${name}`) && one.endsWith(help));
      expect([name, line?.startsWith("  "), help.length > 5]).toEqual([name, true, true]);
    }
    for (const example of command.examples) expect(text).toContain(example);
  });

  it.each(table.commands)("has no flag of $name twice, nor both as there and as missing", (command) => {
    const names = [...command.flags, ...(command.missing ?? [])].flatMap(({ name, short }) => [name, short ?? name]);
    const counted = [...command.flags, ...(command.missing ?? [])].map(({ name }) => name);
    const shorts = names.filter((name) => name.length === 1);
    expect(new Set(counted).size).toBe(counted.length);
    expect(new Set(shorts).size).toBe(shorts.length);
  });

  it("names every command in the general help", () => {
    for (const { name, rare } of table.commands)
      expect(generalHelp(table)).toMatch(new RegExp(rare === true ? `\\nAlso .*\\b${name}\\b` : `\\n  ${name} +[A-Z]`));
    expect(generalHelp(table).split("\n").length).toBeLessThan(25);
  });
});

describe("editDistance()", () => {
  it.each([
    ["", "abc", 3],
    ["plian", "plain", 1],
    ["tag", "tag", 0],
    ["kitten", "sitting", 3],
  ])("of %j and %j is %d", (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
    expect(editDistance(b, a)).toBe(distance);
  });
});
