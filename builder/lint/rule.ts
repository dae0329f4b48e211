import type { DockerfileAst, Instruction } from "../dockerfile/ast.ts";
import type { IgnoreMatcher } from "../base/patterns/ignore.ts";
import type { SourceLocation } from "../base/location.ts";
import type { BaseFacts, FileFacts, FromFacts, StepFacts, UnsetFacts } from "../convert/observer.ts";

/** Something that a rule found. */
export interface Finding {
  readonly message: string;
  /** The lines it is reported for: as a rule all of the instruction. */
  readonly location: SourceLocation;
  /** The words it is about. */
  readonly at?: SourceLocation;
  /** How to mend it. */
  readonly hint?: string;
}

export type Findings = readonly Finding[];

/** What tells a rule from the others, and Dockerfiles that show what it means. */
export interface RuleInfo {
  readonly name: string;
  /** What should be so, in one sentence. */
  readonly description: string;
  readonly url?: string;
  /** Off unless `# check=experimental=` names it. */
  readonly experimental?: true;
  /** About the file as a whole: a comment above an instruction does not skip it. */
  readonly wholeFile?: true;
  /** A function, for a build needs none of them. */
  readonly examples: () => RuleExamples;
}

/** `bad` is warned of with `message` at `line`, `good` is not. */
export interface RuleExamples {
  readonly bad: string;
  readonly line: number;
  readonly message: string;
  readonly good: string;
  /** The .dockerignore of both. */
  readonly ignore?: string;
  readonly buildArgs?: Readonly<Record<string, string>>;
  /** What the base images of both say. */
  readonly base?: { readonly os?: string; readonly architecture?: string; readonly env?: readonly string[] };
}

/** An instruction in its stage, and what of the surroundings matters. */
export interface StepCheck<I extends Instruction = Instruction> extends StepFacts {
  readonly instruction: I;
  /** A word with the stage's variables in place; undefined when it cannot be read. */
  readonly expand: (raw: string) => string | undefined;
  /** The words that it becomes. */
  readonly expandWords: (raw: string) => readonly string[];
  readonly ignore: IgnoreMatcher | undefined;
  readonly ast: DockerfileAst;
  /** The stage that is built; undefined: the last. */
  readonly target: string | undefined;
  /** False when nothing is known of the image that the stage stands on. */
  readonly baseKnown: boolean;
}

/** The place of `$name` within a range, where that is asked for and can be told. */
export type LocateVariable = (name: string, within: SourceLocation) => SourceLocation | undefined;

type Kind = Instruction["kind"];
type WithKind<I, K> = I extends { readonly kind: infer Own } ? ([Extract<Own, K>] extends [never] ? never : I) : never;
/** The instructions that a keyword can mean. */
export type InstructionOf<K extends Kind> = WithKind<Instruction, K>;

/** Looks at each instruction by itself, in the order of the file, also when a later one cannot be read. */
export interface WrittenRule<K extends Kind = Kind> extends RuleInfo {
  readonly kind: "written";
  /** Which it looks at; without it all. */
  readonly on?: readonly K[];
  // A method: rules of one kind of instruction are rules.
  check(instruction: InstructionOf<K>): Findings;
}
export interface FileRule extends RuleInfo {
  readonly kind: "file";
  readonly check: (facts: FileFacts) => Findings;
}
/** Looks at FROM with its variables. */
export interface FromRule extends RuleInfo {
  readonly kind: "from";
  readonly check: (facts: FromFacts) => Findings;
}
export interface BaseRule extends RuleInfo {
  readonly kind: "base";
  readonly check: (facts: BaseFacts) => Findings;
}
/** Looks at an instruction of a stage that is needed, with the state it finds. */
export interface StepRule<K extends Kind = Kind> extends RuleInfo {
  readonly kind: "step";
  readonly on?: readonly K[];
  check(facts: StepCheck<InstructionOf<K>>): Findings;
}
export interface UnsetRule extends RuleInfo {
  readonly kind: "unset";
  readonly check: (facts: UnsetFacts & { readonly locate: LocateVariable }) => Findings;
}

/** A check: one file each in rules/. */
export type Rule = WrittenRule | FileRule | FromRule | BaseRule | StepRule | UnsetRule;

/** Whether it is none of BuildKit's. */
export function isOwn(rule: string): boolean {
  return rule.startsWith("tsbuild/");
}

/** The keyword as written. */
export function keywordOf({ original }: Instruction): string {
  return /^\S*/.exec(original.trimStart())?.[0] ?? "";
}

/** Where the documentation of BuildKit's check is. */
export function ruleUrl(page: string): string {
  return `https://docs.docker.com/go/dockerfile/rule/${page}/`;
}
