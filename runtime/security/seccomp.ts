import { readFileSync } from "node:fs";
import { join } from "node:path";
import { bpfCodes, branch, encodeBpf, load, ret, type BpfInstruction } from "./bpf.ts";
import { capabilityNames } from "./capabilities.ts";
import {
  currentTarget,
  selectRules,
  type ArgCondition,
  type SeccompRule,
  type SeccompRules,
} from "./seccomp-profile.ts";

const SECCOMP_RET_KILL_PROCESS = 0x8000_0000;
const SECCOMP_RET_ERRNO = 0x0005_0000;
const SECCOMP_RET_ALLOW = 0x7fff_0000;
const ENOSYS = 38;
/** Numbers of ARM's private calls begin far above all others. */
const firstPrivate = 0x1_0000;
const X32_BIT = 0x4000_0000;
/** struct seccomp_data: nr, arch, instruction pointer, args[6]. */
const offsets = { nr: 0, arch: 4, args: 16 } as const;

/** AUDIT_ARCH_* of the architectures that a kernel runs, with the names of their system call tables. */
const auditArches: Readonly<Record<string, readonly { readonly audit: number; readonly tables: readonly string[] }[]>> =
  {
    x64: [
      { audit: 0xc000_003e, tables: ["x86_64", "x32"] },
      { audit: 0x4000_0003, tables: ["x86"] },
    ],
    arm64: [
      { audit: 0xc000_00b7, tables: ["aarch64"] },
      { audit: 0x4000_0028, tables: ["arm"] },
    ],
  };

/** Numbers of system calls by name, of one architecture. */
export type SyscallTable = Readonly<Record<string, number>>;

const programs = new Map<bigint, Uint8Array>();

/** Docker's default profile for a set of capabilities (bit n = capability n), compiled for this machine; remembered. */
export function seccompProgram(capabilities: bigint): Uint8Array {
  const known = programs.get(capabilities);
  if (known !== undefined) return known;
  const names = capabilityNames.filter((_, bit) => ((capabilities >> BigInt(bit)) & 1n) === 1n);
  const rules = selectRules(JSON.parse(dataFile("seccomp.json")), currentTarget(names));
  const tables: Readonly<Record<string, SyscallTable>> = JSON.parse(dataFile("syscalls.json"));
  const program = encodeBpf(compileSeccomp(rules, tables, process.arch));
  programs.set(capabilities, program);
  return program;
}

function dataFile(name: string): string {
  return readFileSync(join(import.meta.dirname, "profile", name), "utf8");
}

/**
 * A filter for all architectures that a machine (`x64`, `arm64`) runs: a binary search over ranges of numbers with
 * the same treatment, so that the usual call needs about nine comparisons. Other architectures are killed.
 */
export function compileSeccomp(
  rules: SeccompRules,
  tables: Readonly<Record<string, SyscallTable>>,
  machine: string,
): readonly BpfInstruction[] {
  let program: readonly BpfInstruction[] = [ret(SECCOMP_RET_KILL_PROCESS)];
  for (const { audit, tables: names } of (auditArches[machine] ?? []).toReversed()) {
    program = branch(
      bpfCodes.jeq,
      audit,
      archProgram(
        rules,
        names.map((name) => tables[name] ?? {}),
      ),
      program,
    );
  }
  return [load(offsets.arch), ...program];
}

/** One architecture; a second table is for numbers with the x32 bit. */
function archProgram(rules: SeccompRules, [table = {}, x32]: readonly SyscallTable[]): readonly BpfInstruction[] {
  const ranges = toRanges(rules, table, 0);
  const all =
    x32 === undefined ? ranges : [...ranges.filter(({ start }) => start < X32_BIT), ...toRanges(rules, x32, X32_BIT)];
  return [load(offsets.nr), ...search(all)];
}

/** Numbers from `start` up to the next range are treated by `code`. */
interface Range {
  readonly start: number;
  readonly code: readonly BpfInstruction[];
  readonly key: string;
}

/**
 * Calls newer than any that the profile names fail with ENOSYS, as on a kernel without them, so that C libraries fall
 * back to the older call; EPERM would end the program. runc does the same.
 */
function toRanges(rules: SeccompRules, table: SyscallTable, base: number): readonly Range[] {
  const byNumber = new Map<number, SeccompRule[]>();
  for (const rule of rules.rules) {
    for (const name of rule.names) {
      const number = table[name];
      if (number !== undefined) byNumber.set(number, [...(byNumber.get(number) ?? []), rule]);
    }
  }
  const refused = [ret(SECCOMP_RET_ERRNO | rules.defaultErrno)];
  const unknown = [ret(SECCOMP_RET_ERRNO | ENOSYS)];
  const last = Math.max(0, ...[...byNumber.keys()].filter((number) => number < firstPrivate));
  const ranges: Range[] = [];
  const add = (start: number, code: readonly BpfInstruction[]): void => {
    const key = JSON.stringify(code);
    if (ranges.at(-1)?.key !== key) ranges.push({ start, code, key });
  };
  add(base, refused);
  for (const [number, applied] of [...byNumber].toSorted(([a], [b]) => a - b)) {
    add(base + number, treatment(applied, refused));
    if (!byNumber.has(number + 1)) add(base + number + 1, number < last ? refused : unknown);
  }
  return ranges;
}

function search(ranges: readonly Range[]): readonly BpfInstruction[] {
  if (ranges.length <= 1) return ranges[0]?.code ?? [];
  const middle = ranges.length >> 1;
  const pivot = ranges[middle]?.start ?? 0;
  return branch(bpfCodes.jge, pivot, search(ranges.slice(middle)), search(ranges.slice(0, middle)));
}

/** What happens to one system call: a rule without conditions decides; otherwise the first whose conditions hold. */
function treatment(rules: readonly SeccompRule[], fallback: readonly BpfInstruction[]): readonly BpfInstruction[] {
  const plain = rules.find(({ conditions }) => conditions.length === 0);
  return plain === undefined ? [...rules.flatMap(ruleBlock), ...fallback] : [actionRet(plain)];
}

function actionRet({ action }: SeccompRule): BpfInstruction {
  return ret(action.kind === "allow" ? SECCOMP_RET_ALLOW : SECCOMP_RET_ERRNO | action.errno);
}

/** Stands for "behind this rule" until the rule's length is known. */
const FAIL = -1;

/** Tests that all must hold, then the action; a test that fails goes on behind the block, with the next rule. */
function ruleBlock(rule: SeccompRule): readonly BpfInstruction[] {
  const block = [...rule.conditions.flatMap(test), actionRet(rule)];
  const resolve = (jump: number, at: number): number => (jump === FAIL ? block.length - at - 1 : jump);
  return block.map((one, at) => ({ ...one, jt: resolve(one.jt, at), jf: resolve(one.jf, at) }));
}

/** A 64-bit test made of two of 32 bits, the high half first; falls through when it holds. */
function test({ index, op, value, valueTwo }: ArgCondition): readonly BpfInstruction[] {
  const { jeq, jgt, jge, and } = bpfCodes;
  const at = offsets.args + 8 * index;
  const [loadLow, loadHigh] = [load(at), load(at + 4)];
  const high = (wide: bigint): number => Number(wide >> 32n);
  const low = (wide: bigint): number => Number(wide & 0xffff_ffffn);
  const jump = (code: number, k: number, jt: number, jf: number): BpfInstruction => ({ code, jt, jf, k });
  switch (op) {
    case "EQ":
      return [loadHigh, jump(jeq, high(value), 0, FAIL), loadLow, jump(jeq, low(value), 0, FAIL)];
    case "NE":
      return [loadHigh, jump(jeq, high(value), 0, 2), loadLow, jump(jeq, low(value), FAIL, 0)];
    case "MASKED_EQ":
      return [
        loadHigh,
        jump(and, high(value), 0, 0),
        jump(jeq, high(valueTwo), 0, FAIL),
        loadLow,
        jump(and, low(value), 0, 0),
        jump(jeq, low(valueTwo), 0, FAIL),
      ];
    case "GT":
    case "GE":
      return [
        loadHigh,
        jump(jgt, high(value), 3, 0),
        jump(jeq, high(value), 0, FAIL),
        loadLow,
        jump(op === "GT" ? jgt : jge, low(value), 0, FAIL),
      ];
    case "LT":
    case "LE":
      return [
        loadHigh,
        jump(jgt, high(value), FAIL, 0),
        jump(jeq, high(value), 0, 2),
        loadLow,
        jump(op === "LE" ? jgt : jge, low(value), FAIL, 0),
      ];
    default:
      return op satisfies never;
  }
}
