import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { table } from "../../../builder/cli/commands/table.ts";
import { reference } from "../../../builder/cli/help/reference.ts";
import { checksReference } from "../../../builder/lint/reference.ts";

const cli = readFileSync("docs/cli.md", "utf8");

describe("docs/cli.md", () => {
  it("ends with what the command table says", () => {
    expect(cli.slice(cli.indexOf("### tsbuild build"))).toBe(reference(table.all));
  });

  it.each(table.commands)("has every flag of $name", ({ name, flags }) => {
    const [, section = ""] = cli.split(new RegExp(`^### tsbuild ${name}\\b`, "m"));
    for (const flag of flags) expect(section).toContain(`--${flag.name}`);
  });

  it("names every environment variable that the configuration reads", () => {
    const source = ["config/config", "terminal/color", "ci/folding"]
      .map((name) => readFileSync(`builder/cli/${name}.ts`, "utf8"))
      .join("");
    const names = [...source.matchAll(/(?:set\(|env\[|: \[|", )"([A-Z]+_[A-Z_]+|[A-Z]+)"/g)].map(
      ([, name = ""]) => name,
    );
    expect(names.length).toBeGreaterThan(15);
    for (const name of names) if (name !== "CLICOLOR" && name !== "GITHUB_ACTIONS") expect(cli).toContain(name);
  });
});

describe.each(["ARCHITECTURE.md", "SECURITY.md", "docs/spec-map.md", "docs/security-tests.md", "docs/differences.md"])(
  "%s",
  (file) => {
    it("names files that are there", () => {
      const text = readFileSync(file, "utf8");
      const paths = [...text.matchAll(/`((?:native|store|registry|runtime|builder|test|docs)\/[\w./-]*)`/g)].map(
        ([, path = ""]) => path,
      );
      expect(paths.filter((path) => !existsSync(path))).toEqual([]);
    });
  },
);

describe.each([...globSync("*.md"), ...globSync("docs/**/*.md")])("%s", (file) => {
  it("links to documents that are there, and in the package if it is", () => {
    const links = [...readFileSync(file, "utf8").matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, link = ""]) =>
      join(dirname(file), link),
    );
    expect(links.filter((link) => !existsSync(link))).toEqual([]);
    if (isPublished(file)) expect(links.filter((link) => !isPublished(link))).toEqual([]);
  });
});

describe("docs/security-tests.md", () => {
  const rows = readFileSync("docs/security-tests.md", "utf8")
    .split("\n")
    .filter((line) => /^\|(?! What was tried|---)/.test(line));

  it("has a test for each attack", () => {
    expect(rows.length).toBeGreaterThan(50);
    expect(rows.filter((row) => !/\| `test\/[\w./-]+`[^|]*\|$/.test(row))).toEqual([]);
  });
});

/** What npm takes beside `files` of package.json. */
const always = ["README.md", "LICENSE", "package.json"];

function isPublished(path: string): boolean {
  const { files }: { readonly files: readonly string[] } = JSON.parse(readFileSync("package.json", "utf8"));
  return [...always, ...files].some((entry) => path === entry || path.startsWith(`${entry}/`));
}

describe("docs/checks.md", () => {
  it("ends with all checks and their examples", () => {
    const checks = readFileSync("docs/checks.md", "utf8");
    expect(checks.slice(checks.indexOf("## BuildKit's checks"))).toBe(checksReference());
  });
});

describe("docs/errors.md", () => {
  it("explains every code of the command", () => {
    const errors = readFileSync("docs/errors.md", "utf8");
    const files = readdirSync("builder/cli", { recursive: true, encoding: "utf8" }).filter((file) =>
      file.endsWith(".ts"),
    );
    const codes = new Set(
      files.flatMap(
        (file) => readFileSync(join("builder/cli", file), "utf8").match(/(?<=code: ")E_[A-Z_]+(?=")/g) ?? [],
      ),
    );
    expect(codes.size).toBeGreaterThan(8);
    for (const code of codes) expect(errors).toContain(`\`${code}\``);
  });
});
