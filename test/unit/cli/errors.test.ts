import { describe, expect, it } from "vitest";
import { exitCodeOf } from "../../../builder/cli/errors/exit-code.ts";
import { Interrupted } from "../../../builder/cli/base/interrupted.ts";
import { errorAnnotation, renderError } from "../../../builder/cli/errors/render.ts";
import { UsageError } from "../../../builder/cli/base/usage-error.ts";
import { DockerfileError } from "../../../builder/base/error.ts";
import { SyscallError, TsbuildError } from "../../../native/errors.ts";

const plain = { color: false, debug: false };
const source = "FROM node:24 AS build\nCOPY package.json .\nRUN npn ci\n";

function failedRun(hint?: string): DockerfileError {
  return new DockerfileError("RUN exited with code 127", {
    code: "E_RUN_FAILED",
    location: { file: "Dockerfile", start: { line: 3, column: 5 }, end: { line: 3, column: 8 } },
    source,
    step: "stage build, step 4/9",
    label: "/bin/sh: npn: not found",
    hint: hint ?? "did you mean `npm`?",
  });
}

describe("renderError()", () => {
  it("shows place, frame, caret and help", () => {
    expect(renderError(failedRun(), plain)).toBe(
      [
        "error[E_RUN_FAILED]: RUN exited with code 127",
        "  --> Dockerfile:3:5   (stage build, step 4/9)",
        "   2 | COPY package.json .",
        "   3 | RUN npn ci",
        "     |     ^^^ /bin/sh: npn: not found",
        "  help: did you mean `npm`?",
        "",
      ].join("\n"),
    );
  });

  it("shows notes after = and a hint of several lines", () => {
    const error = new TsbuildError("Cannot make a user namespace", {
      code: "E_NO_USERNS",
      notes: ["kernel.apparmor_restrict_unprivileged_userns=1"],
      hint: "pick one:\n1. run as root\n2. change the setting",
    });
    expect(renderError(error, plain)).toBe(
      "error[E_NO_USERNS]: Cannot make a user namespace\n" +
        "  = kernel.apparmor_restrict_unprivileged_userns=1\n" +
        "  help: pick one:\n    1. run as root\n    2. change the setting\n",
    );
  });

  it("keeps to 12 lines however much an error says", () => {
    const many = Array.from({ length: 30 }, (_, i) => `line ${i}`);
    const error = new TsbuildError(many.join("\n"), { code: "E_X", notes: many, hint: many.join("\n") });
    const lines = renderError(error, plain).trimEnd().split("\n");
    expect(lines.length).toBeLessThanOrEqual(12);
    expect(lines).toContain("  help: line 0");
  });

  it("marks a range over several lines on its first one, with tabs and wide characters in place", () => {
    const text = "\tRUN 日本 x \\\n  y\n";
    const location = { file: "D", start: { line: 1, column: 6 }, end: { line: 2, column: 4 } };
    const error = new DockerfileError("Bad", { code: "E_X", location, source: text });
    const lines = renderError(error, plain).split("\n");
    expect(lines[2]).toBe("   1 |     RUN 日本 x \\");
    expect(lines[3]).toBe("     |         ^^^^^^^^");
  });

  it("cuts a line that is wider than the terminal around the caret", () => {
    const text = `RUN ${"a".repeat(300)} HERE b`;
    const location = { file: "D", start: { line: 1, column: 306 }, end: { line: 1, column: 310 } };
    const error = new DockerfileError("Bad", { code: "E_X", location, source: text });
    const [, , line = "", caret = ""] = renderError(error, { ...plain, width: 80 }).split("\n");
    expect(line.length).toBeLessThanOrEqual(80);
    expect(line.slice(caret.indexOf("^"), caret.lastIndexOf("^") + 1)).toBe("HERE");
  });

  it("survives a place that is not in the text", () => {
    const location = { file: "D", start: { line: 99, column: 7 }, end: { line: 99, column: 7 } };
    expect(renderError(new DockerfileError("Bad", { code: "E_X", location, source: "" }), plain)).toContain("D:99:7");
  });

  it("shows control characters and does not send them", () => {
    const text = renderError(new TsbuildError("bad \u001b[2Jname\u0007", { code: "E_X" }), plain);
    expect(text).toBe("error[E_X]: bad \u241b[2Jname\u2407\n");
  });

  it("has no stack, but with debug the chain of causes", () => {
    const error = new TsbuildError("Outer", { code: "E_OUTER", cause: new SyscallError("open", "ENOENT", "/x") });
    expect(renderError(error, plain)).not.toContain("at ");
    const text = renderError(error, { ...plain, debug: true });
    expect(text).toContain('caused by: SyscallError [E_SYS_ENOENT]: Cannot open "/x": ENOENT');
    expect(text).toMatch(/errors\.test\.ts:\d+/);
  });

  it("takes the advice of the cause when the error has none", () => {
    const error = new TsbuildError("Cannot write layer", {
      code: "E_LAYER",
      cause: new SyscallError("write", "ENOSPC"),
    });
    expect(renderError(error, plain)).toContain("help: free some");
    expect(renderError(new SyscallError("write", "ENOSPC"), plain)).toContain("error[E_NO_SPACE]");
  });

  it("has a hint in a Dockerfile too, whatever system call failed", () => {
    const location = { file: "Dockerfile", start: { line: 1, column: 1 }, end: { line: 1, column: 5 } };
    const cause = new SyscallError("stat", "EXDEV", "/x");
    const error = new DockerfileError(cause.message, { code: cause.code, cause, location, source });
    expect(renderError(error, plain)).toMatch(/^error\[E_SYS_EXDEV\][^]*\n {2}help: check that path/);
  });

  it("names an exception that is not ours as an internal error", () => {
    const text = renderError(new RangeError("index 3"), plain);
    expect(text).toContain(
      "error[E_INTERNAL]: Internal error: RangeError: index 3\n  help: this is a fault of tsbuild",
    );
    expect(renderError("text", plain)).toContain("error[E_INTERNAL]: Internal error: text");
  });

  it("names a system error of Node by its errno", () => {
    const error = Object.assign(new Error("EISDIR: illegal operation"), { code: "EISDIR", syscall: "read" });
    expect(renderError(error, plain)).toMatch(/^error\[E_SYS_EISDIR\]: EISDIR: illegal operation\n {2}help: /);
    const full = Object.assign(new Error("EROFS: read-only file system, open '/x'"), {
      code: "EROFS",
      syscall: "open",
    });
    expect(renderError(full, plain)).toContain("error[E_READ_ONLY]: Cannot open '/x': read-only file system\n");
  });

  it("puts the first error before that of the cleanup", () => {
    const error = new SuppressedError(new Error("umount"), failedRun(), "x");
    const text = renderError(error, plain);
    expect(text).toMatch(/^error\[E_RUN_FAILED\]/);
    expect(text).toContain("= and the cleanup failed: umount");
  });

  it("colours only when asked", () => {
    expect(renderError(failedRun(), { ...plain, color: true })).toContain("\u001b[31merror[E_RUN_FAILED]\u001b[0m");
    expect(renderError(failedRun(), plain)).not.toContain("\u001b");
  });

  it("annotates the line for GitHub Actions", () => {
    expect(errorAnnotation(failedRun("a, b"))).toBe(
      "::error file=Dockerfile,line=3,col=5,title=E_RUN_FAILED::RUN exited with code 127\n",
    );
    const hostile = new TsbuildError("a%\n::x::\r\u001b]0;t\u0007b", { code: "E_X" });
    expect(errorAnnotation(hostile)).toBe("::error title=E_X::a%25%0A::x::%0Ab\n");
  });
});

describe("exitCodeOf()", () => {
  const found = new TsbuildError("x", { code: "E_EXEC_NOT_FOUND" });
  it.each([
    ["a failed build", failedRun(), "build", 1],
    ["usage", new UsageError("x", { hint: "y" }), "run", 2],
    ["an engine error of run", failedRun(), "run", 125],
    ["a program that is not there", new TsbuildError("y", { code: "E_RUN", cause: found }), "run", 127],
    ["a program that may not be run", new TsbuildError("x", { code: "E_EXEC_DENIED" }), "run", 126],
    ["Ctrl-C", new Interrupted("SIGINT"), "build", 130],
    ["SIGTERM below another error", new Error("x", { cause: new Interrupted("SIGTERM") }), "run", 143],
  ])("of %s", (_, error, command, code) => {
    expect(exitCodeOf(error, command)).toBe(code);
  });
});
