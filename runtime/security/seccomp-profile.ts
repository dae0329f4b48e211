import { release } from "node:os";
import { TsbuildError } from "../../native/errors.ts";

/** Comparison of one argument with a constant. @see seccomp_rule_add(3) */
export interface ArgCondition {
  readonly index: number;
  readonly op: "EQ" | "NE" | "LT" | "LE" | "GE" | "GT" | "MASKED_EQ";
  /** The constant; of MASKED_EQ the mask. */
  readonly value: bigint;
  /** Of MASKED_EQ: what the masked argument must be. */
  readonly valueTwo: bigint;
}

const ENOSYS = 38;

/** A rule that applies: allow, or fail with an errno, when all conditions hold. */
export interface SeccompRule {
  readonly names: readonly string[];
  readonly action: { readonly kind: "allow" } | { readonly kind: "errno"; readonly errno: number };
  readonly conditions: readonly ArgCondition[];
}

/** A profile for one set of capabilities on one machine. */
export interface SeccompRules {
  readonly defaultErrno: number;
  readonly rules: readonly SeccompRule[];
}

interface JsonFilter {
  readonly caps?: readonly string[];
  readonly arches?: readonly string[];
  readonly minKernel?: string;
}

/** The parts of Docker's profile format that are read. */
interface JsonProfile {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly syscalls: readonly {
    readonly names: readonly string[];
    readonly action: string;
    readonly errnoRet?: number;
    readonly args?: readonly {
      readonly index: number;
      readonly value: number;
      readonly valueTwo?: number;
      readonly op: string;
    }[];
    readonly includes?: JsonFilter;
    readonly excludes?: JsonFilter;
  }[];
}

/** What a profile's `includes` and `excludes` are held against. `arch` in Go's words: amd64, arm64. */
export interface SeccompTarget {
  readonly capabilities: ReadonlySet<string>;
  readonly arch: string;
  readonly kernel: string;
}

/** This machine with these capabilities. */
export function currentTarget(capabilities: Iterable<string>): SeccompTarget {
  return {
    capabilities: new Set(capabilities),
    arch: process.arch === "x64" ? "amd64" : process.arch,
    kernel: release(),
  };
}

/** The rules of a profile in Docker's JSON format that apply to the target. @throws E_SECCOMP_PROFILE */
export function selectRules(profile: JsonProfile, target: SeccompTarget): SeccompRules {
  if (profile.defaultAction !== "SCMP_ACT_ERRNO") throw unsupported(`default action ${profile.defaultAction}`);
  const rules = profile.syscalls
    .filter(({ includes, excludes }) => included(includes, target) && !excluded(excludes, target))
    .flatMap((entry) => {
      const action = actionOf(entry.action, entry.errnoRet ?? profile.defaultErrnoRet ?? 1);
      const conditions = (entry.args ?? []).map(({ index, value, valueTwo, op }): ArgCondition => ({
        index,
        op: comparison(op),
        value: BigInt(value),
        valueTwo: BigInt(valueTwo ?? 0),
      }));
      // As runc: several conditions on one argument are alternatives.
      const indexes = new Set(conditions.map(({ index }) => index));
      const sets = indexes.size === conditions.length ? [conditions] : conditions.map((one) => [one]);
      return sets.map((set): SeccompRule => ({ names: entry.names, action, conditions: set }));
    });
  return { defaultErrno: profile.defaultErrnoRet ?? 1, rules };
}

/**
 * i386's call for all that sockets do: its arguments are behind a pointer, which no filter can read, so that it would open
 * every address family that socket() is refused. ENOSYS: C libraries since 2016 use the plain calls and fall back to them.
 */
export function withoutSocketcall({ defaultErrno, rules }: SeccompRules): SeccompRules {
  const closed: SeccompRule = { names: ["socketcall"], action: { kind: "errno", errno: ENOSYS }, conditions: [] };
  const others = rules.map((rule) => ({ ...rule, names: rule.names.filter((name) => name !== "socketcall") }));
  return { defaultErrno, rules: [closed, ...others] };
}

function included(filter: JsonFilter | undefined, target: SeccompTarget): boolean {
  if (filter === undefined) return true;
  const { caps, arches, minKernel } = filter;
  return (
    (caps ?? []).every((cap) => target.capabilities.has(cap)) &&
    (arches === undefined || arches.length === 0 || arches.includes(target.arch)) &&
    (minKernel === undefined || kernelAtLeast(target.kernel, minKernel))
  );
}

function excluded(filter: JsonFilter | undefined, target: SeccompTarget): boolean {
  if (filter === undefined) return false;
  const { caps, arches, minKernel } = filter;
  return (
    (caps ?? []).some((cap) => target.capabilities.has(cap)) ||
    (arches ?? []).includes(target.arch) ||
    (minKernel !== undefined && kernelAtLeast(target.kernel, minKernel))
  );
}

function kernelAtLeast(kernel: string, wanted: string): boolean {
  const [major = 0, minor = 0] = kernel.split(/[.-]/).map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = wanted.split(".").map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

function actionOf(text: string, errno: number): SeccompRule["action"] {
  if (text === "SCMP_ACT_ALLOW") return { kind: "allow" };
  if (text === "SCMP_ACT_ERRNO") return { kind: "errno", errno };
  throw unsupported(`action ${text}`);
}

const comparisons: Readonly<Record<string, ArgCondition["op"]>> = {
  SCMP_CMP_EQ: "EQ",
  SCMP_CMP_NE: "NE",
  SCMP_CMP_LT: "LT",
  SCMP_CMP_LE: "LE",
  SCMP_CMP_GE: "GE",
  SCMP_CMP_GT: "GT",
  SCMP_CMP_MASKED_EQ: "MASKED_EQ",
};

function comparison(text: string): ArgCondition["op"] {
  const op = comparisons[text];
  if (op === undefined) throw unsupported(`comparison ${text}`);
  return op;
}

function unsupported(what: string): TsbuildError {
  return new TsbuildError(`Cannot use the seccomp profile: ${what} is not supported`, { code: "E_SECCOMP_PROFILE" });
}
