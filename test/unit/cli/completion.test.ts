import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { complete, type Completion, type Names } from "../../../builder/cli/completion/complete.ts";
import { scripts } from "../../../builder/cli/completion/scripts.ts";
import { behindBreak, shellWords } from "../../../builder/cli/completion/shell-words.ts";
import { table } from "../../../builder/cli/commands/table.ts";

const asked: string[] = [];
const names: Names = {
  images: () => ["app", "app:2", "localhost:5000/x"],
  dockerfile: (file, context) => {
    asked.push(`${file ?? "-"} ${context}`);
    return { stages: ["base", "final"], arguments: ["VERSION"] };
  },
  registries: () => ["ghcr.io"],
  variables: () => ["HOME", "PATH"],
};

function at(line: string): Completion {
  return complete(table, line.split(" "), names);
}

const values = (line: string): readonly string[] => at(line).candidates.map(({ value }) => value);

describe("complete()", () => {
  it.each([
    ["", table.commands.map(({ name }) => name)],
    ["ima", ["images"]],
    ["help lo", ["login", "logout", "logs", "load"]],
    ["--root /x ima", ["images"]],
    ["image r", ["rm", "remove"]],
    ["--tar", ["--target"]],
    ["build --tar", ["--target"]],
    ["run --ent", ["--entrypoint"]],
    ["run --no", []],
    ["--target ", ["base", "final"]],
    ["--target=f", ["--target=final"]],
    ["-t x --target ", ["base", "final"]],
    ["--no-cache-filter ", ["base", "final"]],
    ["--build-arg ", ["VERSION="]],
    ["--progress p", ["plain"]],
    ["--progress=", ["auto", "tty", "plain", "rawjson", "quiet", "none"].map((mode) => `--progress=${mode}`)],
    ["--pull=al", ["--pull=always"]],
    ["run app", ["app", "app:2"]],
    ["run -it ", ["app", "app:2", "localhost:5000/x"]],
    ["run -e PA", ["PATH"]],
    ["run app --", []],
    ["rmi app loc", ["localhost:5000/x"]],
    ["tag app a", ["app", "app:2"]],
    ["tag app new x", []],
    ["images --filter da", ["dangling="]],
    ["prune --filter ", ["until="]],
    ["inspect --type ", ["image"]],
    ["login ", ["ghcr.io"]],
    ["completion ", ["bash", "zsh", "fish"]],
    ["man hist", ["history"]],
    ["shell --at fa", ["failed"]],
    ["build --platform linux/arm6", ["linux/arm64"]],
    ["--rm=", []],
    ["run --rm=", ["--rm=true", "--rm=false"]],
    ["images -- ap", ["app", "app:2"]],
  ])("of %j gives %j", (line, expected) => {
    expect(values(line)).toEqual(expected);
  });

  it.each([
    ["", "directory"],
    ["-t app ", "directory"],
    ["--file ", "file"],
    ["-f ", "file"],
    ["--root ", "directory"],
    ["--iidfile=", "file"],
    ["run app ", "file"],
    ["images ", "none"],
    ["--target ", "none"],
  ])("of %j leaves %s to the shell", (line, files) => {
    expect(at(line).files).toBe(files);
  });

  it("reads the Dockerfile that the line means", () => {
    asked.length = 0;
    at("--target ");
    at("build -f docker/D ./ctx --target ");
    at("--file=x -t app --build-arg ");
    at("run app");
    expect(asked).toEqual(["- .", "docker/D ./ctx", "x ."]);
  });

  it("does not offer a flag again that can be given once, and says what flags are", () => {
    expect(values("--target x --ta")).toEqual(["--tag"]);
    expect(values("-q --qu")).toEqual([]);
    expect(at("--tar").candidates[0]?.help).toBe("build this stage");
  });
});

describe("shellWords()", () => {
  it.each([
    ["tsbuild run ", ["tsbuild", "run", ""]],
    ["tsbuild  -t a", ["tsbuild", "-t", "a"]],
    [`tsbuild "a b" 'c"d' e\\ f`, ["tsbuild", "a b", 'c"d', "e f"]],
    ["tsbuild '' \"x", ["tsbuild", "", "x"]],
  ])("of %j", (line, words) => {
    expect(shellWords(line)).toEqual(words);
  });
});

describe("behindBreak()", () => {
  it.each([
    ["--target=final", "--target=f", "=:", "final"],
    ["localhost:5000/x", "localhost:5", "=:", "5000/x"],
    ["localhost:5000/x", "localhost:5", " ", "localhost:5000/x"],
    ["app", "a", "=:", "app"],
  ])("of %s after %s", (value, current, breaks, text) => {
    expect(behindBreak(value, current, breaks)).toBe(text);
  });
});

describe("the scripts", () => {
  it.each(["bash", "zsh", "fish"] as const)("of %s have its syntax (skipped without it)", (shell) => {
    const check = spawnSync(shell, ["-n"], { input: scripts[shell], encoding: "utf8" });
    if (check.error !== undefined) return;
    expect([check.status, check.stderr]).toEqual([0, ""]);
  });
});
