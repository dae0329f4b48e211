import { readFileSync } from "node:fs";
import { packageFile } from "../../native/package-file.ts";
import { BpfAssembler, bpfJumps, type BpfLabel } from "./bpf.ts";
import { capabilityNames } from "./capabilities.ts";
import {
  currentTarget,
  selectRules,
  withoutSocketcall,
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

/** Docker's default profile without socketcall for capabilities (bit n = capability n), compiled for this machine; remembered. */
export function seccompProgram(capabilities: bigint): Uint8Array {
  const known = programs.get(capabilities);
  if (known !== undefined) return known;
  const names = capabilityNames.filter((_, bit) => ((capabilities >> BigInt(bit)) & 1n) === 1n);
  const rules = withoutSocketcall(selectRules(JSON.parse(dataFile("seccomp.json")), currentTarget(names)));
  const tables: Readonly<Record<string, SyscallTable>> = JSON.parse(dataFile("syscalls.json"));
  const program = compileSeccomp(rules, tables, process.arch);
  programs.set(capabilities, program);
  return program;
}

function dataFile(name: string): string {
  return readFileSync(packageFile("runtime", "security", "profile", name), "utf8");
}

/**
 * A filter (struct sock_filter[]) for all architectures that a machine (`x64`, `arm64`) runs: a binary search over
 * ranges of numbers with the same treatment, so that the usual call needs about nine comparisons. Other architectures
 * are killed.
 */
export function compileSeccomp(
  rules: SeccompRules,
  tables: Readonly<Record<string, SyscallTable>>,
  machine: string,
): Uint8Array {
  const program = new BpfAssembler();
  let next = program.ret(SECCOMP_RET_KILL_PROCESS);
  for (const { audit, tables: names } of (auditArches[machine] ?? []).toReversed()) {
    const [table = {}, x32] = names.map((name) => tables[name] ?? {});
    const ranges = toRanges(rules, table, 0);
    const all = x32 === undefined ? ranges : [...ranges, ...toRanges(rules, x32, X32_BIT)];
    const own = program.load(offsets.nr, search(program, all));
    next = program.branch(bpfJumps.eq, audit, own, next);
  }
  program.load(offsets.arch, next);
  return program.encode();
}

/** Numbers from `start` up to the next range are treated alike: by these rules in their order, then by the errno. */
interface Range {
  readonly start: number;
  readonly rules: readonly SeccompRule[];
  readonly otherwise: number;
}

/**
 * Calls newer than any that the profile names fail with ENOSYS, as on a kernel without them, so that C libraries fall
 * back to the older call; EPERM would end the program. runc does the same.
 */
function toRanges(rules: SeccompRules, table: SyscallTable, base: number): readonly Range[] {
  const byNumber = rulesByNumber(rules, table);
  const last = Math.max(0, ...[...byNumber.keys()].filter((number) => number < firstPrivate));
  const ranges: Range[] = [];
  const add = (number: number, applied: readonly SeccompRule[], otherwise: number): void => {
    const before = ranges.at(-1);
    if (before === undefined || !isSame(before, applied, otherwise))
      ranges.push({ start: base + number, rules: applied, otherwise });
  };
  add(0, [], rules.defaultErrno);
  for (const [number, applied] of [...byNumber].toSorted(([a], [b]) => a - b)) {
    // A rule without conditions decides, whatever the others say.
    const plain = applied.find(({ conditions }) => conditions.length === 0);
    add(number, plain === undefined ? applied : [plain], rules.defaultErrno);
    if (!byNumber.has(number + 1)) add(number + 1, [], number < last ? rules.defaultErrno : ENOSYS);
  }
  return ranges;
}

function rulesByNumber(rules: SeccompRules, table: SyscallTable): ReadonlyMap<number, readonly SeccompRule[]> {
  const byNumber = new Map<number, SeccompRule[]>();
  for (const rule of rules.rules) {
    for (const name of rule.names) {
      const number = table[name];
      if (number === undefined) continue;
      const applied = byNumber.get(number);
      if (applied === undefined) byNumber.set(number, [rule]);
      else applied.push(rule);
    }
  }
  return byNumber;
}

function isSame(range: Range, rules: readonly SeccompRule[], otherwise: number): boolean {
  if (range.rules.length !== rules.length) return false;
  if (rules.length === 0) return range.otherwise === otherwise;
  return rules.every((rule, at) => {
    const other = range.rules[at];
    if (rule === other) return true;
    const plain = other?.conditions.length === 0 && rule.conditions.length === 0;
    return plain && actionValue(other) === actionValue(rule);
  });
}

function search(program: BpfAssembler, ranges: readonly Range[]): BpfLabel {
  const [only] = ranges;
  if (only === undefined) return program.ret(SECCOMP_RET_KILL_PROCESS);
  if (ranges.length === 1) return treatment(program, only);
  const middle = ranges.length >> 1;
  const upper = search(program, ranges.slice(middle));
  const lower = search(program, ranges.slice(0, middle));
  return program.branch(bpfJumps.ge, ranges[middle]?.start ?? 0, upper, lower);
}

function treatment(program: BpfAssembler, { rules, otherwise }: Range): BpfLabel {
  const [first] = rules;
  if (first !== undefined && first.conditions.length === 0) return program.ret(actionValue(first));
  let next = program.ret(SECCOMP_RET_ERRNO | otherwise);
  for (const group of alike(rules).toReversed()) {
    const [rule] = group;
    if (rule === undefined) continue;
    const holds = program.ret(actionValue(rule));
    if (group.length > 1)
      next = oneOf(
        program,
        group.flatMap(({ conditions }) => conditions),
        holds,
        next,
      );
    else {
      next = rule.conditions.reduceRight((yes, condition) => test(program, condition, yes, next), holds);
    }
  }
  return next;
}

/** Runs of rules that give the same for some values of one argument, as those for address families of sockets do. */
function alike(rules: readonly SeccompRule[]): readonly (readonly SeccompRule[])[] {
  const groups: SeccompRule[][] = [];
  let before: string | undefined;
  for (const rule of rules) {
    const [only, more] = rule.conditions;
    const key =
      only?.op === "EQ" && more === undefined ? `${only.index} ${only.value >> 32n} ${actionValue(rule)}` : undefined;
    if (key !== undefined && key === before) groups.at(-1)?.push(rule);
    else groups.push([rule]);
    before = key;
  }
  return groups;
}

/** Whether one argument has one of the conditions' values, whose upper halves are the same. */
function oneOf(program: BpfAssembler, conditions: readonly ArgCondition[], yes: BpfLabel, no: BpfLabel): BpfLabel {
  const [first] = conditions;
  if (first === undefined) return no;
  const at = offsets.args + 8 * first.index;
  const lower = conditions.reduceRight(
    (other, { value }) => program.branch(bpfJumps.eq, Number(value & 0xffff_ffffn), yes, other),
    no,
  );
  const upper = program.branch(bpfJumps.eq, Number(first.value >> 32n), program.load(at, lower), no);
  return program.load(at + 4, upper);
}

function actionValue({ action }: SeccompRule): number {
  return action.kind === "allow" ? SECCOMP_RET_ALLOW : SECCOMP_RET_ERRNO | action.errno;
}

/** A 64-bit test made of two of 32 bits, the high half first. */
function test(program: BpfAssembler, condition: ArgCondition, yes: BpfLabel, no: BpfLabel): BpfLabel {
  const { index, op, value, valueTwo } = condition;
  const at = offsets.args + 8 * index;
  const high = (wide: bigint): number => Number(wide >> 32n);
  const low = (wide: bigint): number => Number(wide & 0xffff_ffffn);
  const { eq, gt, ge } = bpfJumps;
  switch (op) {
    case "EQ":
    case "NE": {
      const [same, other] = op === "EQ" ? [yes, no] : [no, yes];
      const lower = program.load(at, program.branch(eq, low(value), same, other));
      return program.load(at + 4, program.branch(eq, high(value), lower, other));
    }
    case "MASKED_EQ": {
      const lower = program.load(at, program.and(low(value), program.branch(eq, low(valueTwo), yes, no)));
      return program.load(at + 4, program.and(high(value), program.branch(eq, high(valueTwo), lower, no)));
    }
    case "GT":
    case "GE":
    case "LT":
    case "LE": {
      // LT is not GE, LE is not GT.
      const [more, less] = op === "GT" || op === "GE" ? [yes, no] : [no, yes];
      const code = op === "GT" || op === "LE" ? gt : ge;
      const lower = program.load(at, program.branch(code, low(value), more, less));
      const equal = program.branch(eq, high(value), lower, less);
      return program.load(at + 4, program.branch(gt, high(value), more, equal));
    }
    default:
      return op satisfies never;
  }
}
