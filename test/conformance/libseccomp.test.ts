import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { defaultCapabilities } from "../../runtime/security/capabilities.ts";
import { compileSeccomp } from "../../runtime/security/seccomp.ts";
import { selectRules, type SeccompRules } from "../../runtime/security/seccomp-profile.ts";
import { evaluateFilter } from "../unit/security/bpf-interpreter.ts";

const [EPERM, ENOSYS] = [0x0005_0001, 0x0005_0026];
const comparisons = { NE: 1, LT: 2, LE: 3, EQ: 4, GE: 5, GT: 6, MASKED_EQ: 7 } as const;
const data = join(import.meta.dirname, "../../runtime/security/profile");
const read = (name: string): string => readFileSync(join(data, name), "utf8");

/** A program that writes libseccomp's filter to its argument and prints the names that the library does not know. */
function libraryProgram({ rules }: SeccompRules): string {
  const lines = rules.flatMap(({ names, action, conditions }) => {
    const what = action.kind === "allow" ? "SCMP_ACT_ALLOW" : `SCMP_ACT_ERRNO(${action.errno})`;
    const tests = conditions.map(
      ({ index, op, value, valueTwo }) => `, SCMP_CMP(${index}, ${comparisons[op]}, ${value}ull, ${valueTwo}ull)`,
    );
    return names.map(
      (name) => `if ((nr = seccomp_syscall_resolve_name("${name}")) == __NR_SCMP_ERROR) puts("${name}");
  else seccomp_rule_add(filter, ${what}, nr, ${tests.length}${tests.join("")});`,
    );
  });
  return `#include <fcntl.h>
#include <seccomp.h>
#include <stdio.h>
int main(int argc, char **argv) {
  int nr;
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(1));
  seccomp_arch_add(filter, SCMP_ARCH_X86);
  seccomp_arch_add(filter, SCMP_ARCH_X32);
  ${lines.join("\n  ")}
  return seccomp_export_bpf(filter, open(argv[1], O_CREAT | O_WRONLY, 0600)) != 0;
}
`;
}

function library(rules: SeccompRules): { readonly filter: Uint8Array; readonly unknown: ReadonlySet<string> } {
  const directory = mkdtempSync(join(tmpdir(), "tsbuild-seccomp-"));
  try {
    const [source, program, filter] = ["main.c", "main", "filter"].map((name) => join(directory, name));
    writeFileSync(source ?? "", libraryProgram(rules));
    const built = spawnSync("cc", ["-w", "-o", program ?? "", source ?? "", "-lseccomp"], { encoding: "utf8" });
    if (built.status !== 0) throw new Error(built.stderr);
    const ran = spawnSync(program ?? "", [filter ?? ""], { encoding: "utf8" });
    if (ran.status !== 0) throw new Error("libseccomp could not export the filter");
    return { filter: readFileSync(filter ?? ""), unknown: new Set(ran.stdout.split("\n")) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const usable = process.arch === "x64" && existsSync("/usr/include/seccomp.h");

describe("compileSeccomp()", () => {
  it.skipIf(!usable)("decides as libseccomp does on x86-64, x32 and i386 (needs libseccomp-dev)", () => {
    const target = { capabilities: new Set(defaultCapabilities), arch: "amd64", kernel: "6.18.0" };
    const rules = selectRules(JSON.parse(read("seccomp.json")), target);
    const tables: Readonly<Record<string, Readonly<Record<string, number>>>> = JSON.parse(read("syscalls.json"));
    const ours = compileSeccomp(rules, tables, "x64");
    const theirs = library(rules);
    const values = [
      0n,
      1n,
      2n,
      3n,
      7n,
      8n,
      16n,
      38n,
      40n,
      45n,
      46n,
      0xffff_ffffn,
      0x2_0008n,
      0x1000_0000n,
      (1n << 32n) | 2n,
    ];
    const wrong: string[] = [];
    for (const [table, arch, base] of [
      ["x86_64", 0xc000_003e, 0],
      ["x32", 0xc000_003e, 0x4000_0000],
      ["x86", 0x4000_0003, 0],
    ] as const) {
      // Newer than the library, or, as map_shadow_stack on x32, not in that table of the kernel.
      const newer = new Set(
        Object.entries(tables[table] ?? {}).flatMap(([name, nr]) => (theirs.unknown.has(name) || nr > 450 ? [nr] : [])),
      );
      // The library does not look at the upper half where pointers have 32 bits; ours refuses what is there.
      const ofTable = table === "x86_64" ? values : values.filter((value) => value >> 32n === 0n);
      for (let nr = 0; nr < 600; nr++) {
        for (const value of newer.has(nr) ? [] : ofTable) {
          for (const args of [[value], [0n, value]]) {
            const call = { nr: base + nr, arch, args };
            const [own, other] = [evaluateFilter(ours, call), evaluateFilter(theirs.filter, call)];
            if (own !== other && !(own === ENOSYS && other === EPERM)) wrong.push(`${table} ${nr} ${args.join()}`);
          }
        }
      }
    }
    expect(wrong).toEqual([]);
  });
});
