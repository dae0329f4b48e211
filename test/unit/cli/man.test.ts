import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { manPages } from "../../../builder/cli/help/man.ts";
import { table } from "../../../builder/cli/commands/table.ts";

const pages = manPages(table.all, "1.2.3");

describe("manPages()", () => {
  it("are those that package.json names", () => {
    const { man }: { man: readonly string[] } = JSON.parse(readFileSync("package.json", "utf8"));
    expect(man.toSorted()).toEqual(pages.map(({ file }) => `dist/man/${file}`).toSorted());
  });

  it.each(table.commands)("have every flag and example of $name", ({ name, flags, examples }) => {
    const text = pages.find(({ file }) => file === `tsbuild-${name}.1`)?.text ?? "";
    const plain = text
      .replaceAll("\\-", "-")
      .replaceAll("\\(aq", "'")
      .replaceAll(/\\f[BIR]/g, "");
    for (const flag of flags) expect(plain).toContain(`--${flag.name}`);
    for (const example of examples) expect(plain).toContain(`\n${example}\n`);
  });

  it.each(pages)("$file has its sections in order, and no line that is a request by mistake", ({ text }) => {
    const sections = text.split("\n").flatMap((line) => (line.startsWith(".SH ") ? [line.slice(4)] : []));
    const usual = ["NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "OPTIONS", "EXAMPLES", "ENVIRONMENT", "FILES"];
    const order = [...usual, "EXIT STATUS", "SEE ALSO"];
    expect(sections).toEqual(order.filter((section) => sections.includes(section)));
    const requests = new Set([".TH", ".SH", ".TP", ".B", ".I", ".BR", ".br", ".nf", ".fi"]);
    for (const line of text.split("\n")) {
      if (/^[.']/.test(line)) expect(requests).toContain(line.split(" ")[0]);
      expect(line).not.toMatch(/\\(?![-&efe(])/);
    }
  });

  it("pass groff without a warning (skipped without it)", () => {
    for (const { text } of pages) {
      const { error, status, stderr } = spawnSync("groff", ["-man", "-ww", "-z", "-Tutf8"], {
        input: text,
        encoding: "utf8",
      });
      if (error !== undefined) return;
      expect([status, stderr]).toEqual([0, ""]);
    }
  });
});
