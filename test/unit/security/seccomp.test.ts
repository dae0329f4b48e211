import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { capabilityMask, defaultCapabilities } from "../../../runtime/security/capabilities.ts";
import { compileSeccomp, seccompProgram } from "../../../runtime/security/seccomp.ts";
import { selectRules } from "../../../runtime/security/seccomp-profile.ts";
import { evaluateFilter } from "./bpf-interpreter.ts";

const ALLOW = 0x7fff_0000;
const KILL = 0x8000_0000;
const errno = (number: number): number => 0x0005_0000 | number;
const [EPERM, ENOSYS] = [errno(1), errno(38)];
const x32Bit = 0x4000_0000;

interface Entry {
  readonly names: readonly string[];
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly { readonly index: number; readonly value: number; readonly valueTwo?: number; op: string }[];
  readonly includes?: Filter;
  readonly excludes?: Filter;
}
interface Filter {
  readonly caps?: readonly string[];
  readonly arches?: readonly string[];
  readonly minKernel?: string;
}

const data = join(import.meta.dirname, "../../../runtime/security/profile");
const profile: { readonly defaultAction: string; readonly syscalls: readonly Entry[] } = JSON.parse(
  readFileSync(join(data, "seccomp.json"), "utf8"),
);
const tables: Readonly<Record<string, Readonly<Record<string, number>>>> = JSON.parse(
  readFileSync(join(data, "syscalls.json"), "utf8"),
);

function program(machine: "x64" | "arm64", capabilities: readonly string[]): Uint8Array {
  const arch = machine === "x64" ? "amd64" : "arm64";
  const target = { capabilities: new Set(capabilities), arch, kernel: "6.18.0-test" };
  return compileSeccomp(selectRules(profile, target), tables, machine);
}

/** The profile evaluated entry by entry, the slow and obvious way. Kernel 6.18. */
function expected(entries: readonly Entry[], number: number, last: number, args: readonly bigint[]): number {
  for (const entry of entries) {
    const holds = (entry.args ?? []).every(({ index, op, value, valueTwo }) => {
      const have = args[index] ?? 0n;
      const [one, two] = [BigInt(value), BigInt(valueTwo ?? 0)];
      if (op === "SCMP_CMP_EQ") return have === one;
      if (op === "SCMP_CMP_NE") return have !== one;
      if (op === "SCMP_CMP_LT") return have < one;
      if (op === "SCMP_CMP_MASKED_EQ") return (have & one) === two;
      throw new Error(`the profile has a comparison that this test does not know: ${op}`);
    });
    if (holds) return entry.action === "SCMP_ACT_ALLOW" ? ALLOW : errno(entry.errnoRet ?? 1);
  }
  return number > last ? ENOSYS : EPERM;
}

function applies({ includes = {}, excludes = {} }: Entry, arch: string, caps: ReadonlySet<string>): boolean {
  const included = (includes.caps ?? []).every((cap) => caps.has(cap)) && (includes.arches?.includes(arch) ?? true);
  const excluded =
    (excludes.caps ?? []).some((cap) => caps.has(cap)) ||
    (excludes.arches ?? []).includes(arch) ||
    excludes.minKernel !== undefined;
  return included && !excluded;
}

/** Values around every constant that the entries compare with, in the low and in the high half. */
function interesting(entries: readonly Entry[]): readonly (readonly bigint[])[] {
  const values = new Set<bigint>([0n, 1n, 0xffff_ffff_ffff_ffffn]);
  for (const { value, valueTwo } of entries.flatMap(({ args }) => args ?? [])) {
    for (const one of [BigInt(value), BigInt(valueTwo ?? 0)]) {
      for (const near of [one - 1n, one, one + 1n, one | (1n << 32n), one << 32n, ~one, one & -one])
        values.add(BigInt.asUintN(64, near));
    }
  }
  const indexes = new Set(entries.flatMap(({ args }) => (args ?? []).map(({ index }) => index)));
  return [...indexes].flatMap((index) =>
    [...values].map((value) => Array.from({ length: 6 }, (_, at) => (at === index ? value : 0n))),
  );
}

const machines = [
  { machine: "x64", arch: "amd64", audit: 0xc000_003e, table: "x86_64", base: 0 },
  { machine: "x64", arch: "amd64", audit: 0xc000_003e, table: "x32", base: x32Bit },
  { machine: "x64", arch: "amd64", audit: 0x4000_0003, table: "x86", base: 0 },
  { machine: "arm64", arch: "arm64", audit: 0xc000_00b7, table: "aarch64", base: 0 },
  { machine: "arm64", arch: "arm64", audit: 0x4000_0028, table: "arm", base: 0 },
] as const;
const capabilitySets: Readonly<Record<string, readonly string[]>> = {
  "Docker's 14 capabilities": defaultCapabilities,
  "no capability": [],
  "CAP_SYS_ADMIN and CAP_BPF": [...defaultCapabilities, "CAP_SYS_ADMIN", "CAP_BPF"],
};

describe("compileSeccomp()", () => {
  for (const { machine, arch, audit, table, base } of machines) {
    for (const [title, capabilities] of Object.entries(capabilitySets)) {
      it(`decides every call and argument of ${table} as the profile says, with ${title}`, () => {
        const filter = program(machine, capabilities);
        const caps = new Set(capabilities);
        const entries = profile.syscalls.filter((entry) => applies(entry, arch, caps));
        const byNumber = new Map<number, Entry[]>();
        for (const entry of entries)
          for (const name of entry.names) {
            const number = tables[table]?.[name];
            if (number !== undefined) byNumber.set(number, [...(byNumber.get(number) ?? []), entry]);
          }
        const last = Math.max(...[...byNumber.keys()].filter((number) => number < 1000));
        const wrong: string[] = [];
        let compared = 0;
        for (const number of new Set([...Array.from({ length: 600 }, (_, at) => at), ...byNumber.keys()])) {
          const rules = byNumber.get(number) ?? [];
          for (const args of [[0n, 0n, 0n, 0n, 0n, 0n], ...interesting(rules)]) {
            const want = expected(rules, byNumber.has(number) ? -1 : number, last, args);
            const have = evaluateFilter(filter, { nr: base + number, arch: audit, args });
            if (have !== want) wrong.push(`${number}(${args.join()}): ${have.toString(16)}, not ${want.toString(16)}`);
            compared++;
          }
        }
        expect(wrong).toEqual([]);
        expect(compared).toBeGreaterThan(600);
      });
    }
  }

  const filter = program("x64", defaultCapabilities);
  const amd64 = (nr: number, ...args: readonly bigint[]): number =>
    evaluateFilter(filter, { nr, arch: 0xc000_003e, args });

  it("kills calls of an architecture that the machine does not run", () => {
    expect(evaluateFilter(filter, { nr: 0, arch: 0x8000_0016, args: [] })).toBe(KILL);
  });

  it("refuses sockets of AF_ALG and AF_VSOCK also when the upper half of the argument is set", () => {
    expect([amd64(41, 38n), amd64(41, 40n), amd64(41, 40n | (1n << 32n)), amd64(41, 2n)]).toEqual([
      EPERM,
      EPERM,
      EPERM,
      ALLOW,
    ]);
  });

  it("closes i386's socketcall, whose arguments no filter sees, and tells programs to use the plain calls", () => {
    const own = seccompProgram(capabilityMask(defaultCapabilities));
    const i386 = (nr: number, ...args: readonly bigint[]): number =>
      evaluateFilter(own, { nr, arch: 0x4000_0003, args });
    expect([i386(102, 1n), i386(102, 8n), i386(359, 2n), i386(359, 38n), i386(361)]).toEqual([
      ENOSYS,
      ENOSYS,
      ALLOW,
      EPERM,
      ALLOW,
    ]);
    expect(evaluateFilter(own, { nr: 41, arch: 0xc000_003e, args: [2n] })).toBe(ALLOW);
  });

  it("knows the calls that i386 has beside socketcall and ipc", () => {
    const i386 = (nr: number, ...args: readonly bigint[]): number =>
      evaluateFilter(filter, { nr, arch: 0x4000_0003, args });
    expect([i386(359, 2n), i386(359, 40n), i386(362), i386(395)]).toEqual([ALLOW, EPERM, ALLOW, ALLOW]);
  });

  it("refuses new user namespaces by clone and unshare, and answers clone3 with ENOSYS", () => {
    expect([amd64(56, 0x1000_0000n), amd64(272, 0x1000_0000n), amd64(435), amd64(56, 0x11n)]).toEqual([
      EPERM,
      EPERM,
      ENOSYS,
      ALLOW,
    ]);
  });

  it("refuses keyrings, mounts, BPF, kernel modules, file handles and io_uring", () => {
    const numbers = [248, 249, 250, 165, 166, 428, 429, 430, 431, 432, 442, 321, 298, 175, 313, 304, 425, 308, 155];
    expect(numbers.map((nr) => amd64(nr))).toEqual(numbers.map(() => EPERM));
  });

  it("answers calls newer than the profile with ENOSYS, so that programs fall back", () => {
    expect([amd64(600), amd64(0x3fff_ffff), amd64(x32Bit + 600), amd64(0xffff_ffff)]).toEqual([
      ENOSYS,
      ENOSYS,
      ENOSYS,
      ENOSYS,
    ]);
  });

  const comparisons = {
    EQ: (have, one) => have === one,
    NE: (have, one) => have !== one,
    LT: (have, one) => have < one,
    LE: (have, one) => have <= one,
    GE: (have, one) => have >= one,
    GT: (have, one) => have > one,
    MASKED_EQ: (have, one, two) => (have & one) === two,
  } as const satisfies Readonly<Record<string, (have: bigint, one: bigint, two: bigint) => boolean>>;

  it("compares all 64 bits by each of the seven comparisons, several conditions at once", () => {
    const values = [0n, 1n, 2n, 0xffff_ffffn, 1n << 32n, (1n << 32n) | 1n, (1n << 33n) - 1n, (1n << 63n) | 2n, ~0n];
    const wide = values.map((value) => BigInt.asUintN(64, value));
    const wrong: string[] = [];
    for (const op of Object.keys(comparisons) as (keyof typeof comparisons)[]) {
      for (const value of wide) {
        const conditions = [
          { index: 2, op, value, valueTwo: value & 0xff_0000_0001n },
          { index: 5, op: "NE" as const, value: 7n, valueTwo: 0n },
        ];
        const rules = { defaultErrno: 1, rules: [{ names: ["a"], action: { kind: "allow" as const }, conditions }] };
        const one = compileSeccomp(rules, { x86_64: { a: 10 } }, "x64");
        for (const have of wide) {
          for (const other of [7n, 8n]) {
            const args = [0n, 0n, have, 0n, 0n, other];
            const allowed = comparisons[op](have, value, value & 0xff_0000_0001n) && other !== 7n;
            if ((evaluateFilter(one, { nr: 10, arch: 0xc000_003e, args }) === ALLOW) !== allowed)
              wrong.push(`${have} ${op} ${value}, ${other}`);
          }
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it("jumps over more than 255 instructions", () => {
    const names = Array.from({ length: 400 }, (_, at) => `call${at}`);
    const rules = names.map((name, at) => ({
      names: [name],
      action: { kind: "errno" as const, errno: at + 2 },
      conditions: [],
    }));
    const table = Object.fromEntries(names.map((name, at) => [name, at * 2]));
    const many = compileSeccomp({ defaultErrno: 1, rules }, { x86_64: table }, "x64");
    const got = names.map((_, at) => evaluateFilter(many, { nr: at * 2, arch: 0xc000_003e, args: [] }));
    expect(got).toEqual(names.map((_, at) => errno(at + 2)));
  });
});
