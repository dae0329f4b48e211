import { TsbuildError } from "../../native/errors.ts";
import type { ImageConfig } from "../../store/oci/config.ts";
import type { Directive, DockerfileAst, Instruction } from "../dockerfile/ast.ts";
import { DockerfileError } from "../base/error.ts";
import { expandWord, expandWords } from "../dockerfile/expand.ts";
import type { IgnoreMatcher } from "../base/patterns/ignore.ts";
import type { ParseObserver } from "../dockerfile/parse.ts";
import { envMap } from "../base/env.ts";
import type { BaseFacts, ConvertObserver, FileFacts, FromFacts, StepFacts, UnsetFacts } from "../convert/observer.ts";
import {
  allRules,
  directiveOptions,
  isOn,
  parseCheckOptions,
  withComments,
  type CheckConfig,
} from "./check-options.ts";
import {
  isOwn,
  type Finding,
  type Findings,
  type LocateVariable,
  type Rule,
  type RuleInfo,
  type StepCheck,
} from "./rule.ts";
import { buildkitRules } from "./rules.ts";

/** A finding with the rule that it is of. */
export interface LintWarning extends Finding {
  readonly rule: RuleInfo;
}

/** A Dockerfile made to have more warnings than this is not told of all. */
const mostWarnings = 10_000;

/** What a Linter knows of the file before it is read. */
export interface LinterOptions {
  /** The Dockerfile's text. */
  readonly source: string;
  /** BUILDKIT_DOCKERFILE_CHECK: counts in the place of the file's directive. */
  readonly given: string | undefined;
  readonly ignore: IgnoreMatcher | undefined;
  /** Rules beside BuildKit's. `ownErrors`: what they find is an error too. */
  readonly own?: readonly Rule[];
  readonly ownErrors?: boolean;
  /** The stage that is built; undefined: the last. */
  readonly target?: string | undefined;
  /** Configs of base images of which nothing is known: what they define cannot be told from what is missing. */
  readonly unknownBases?: Pick<WeakSet<ImageConfig>, "has">;
  /** Finds words for which the parser keeps no places. */
  readonly locate?: LocateVariable;
}

/** Runs the checks on one Dockerfile while it is read and converted. */
export class Linter implements ParseObserver, ConvertObserver {
  readonly #options: LinterOptions;
  readonly #rules: readonly Rule[];
  readonly #found: LintWarning[] = [];
  #config: CheckConfig;
  #ast: DockerfileAst | undefined;

  /** @throws E_BUILD_ARG */
  constructor(options: LinterOptions) {
    this.#options = options;
    this.#rules = [...buildkitRules, ...(options.own ?? [])];
    const config = options.given === undefined ? allRules : parseCheckOptions(options.given);
    if (typeof config === "string") throw badArgument(options.given ?? "", config);
    this.#config = config;
  }

  /** In the order of the lines they are reported for. */
  get warnings(): readonly LintWarning[] {
    return this.#found.toSorted((a, b) => a.location.start.line - b.location.start.line);
  }

  /** When warnings are errors and there are any. @throws E_CHECK_FAILED */
  verdict(): void {
    const { ownErrors = false, source } = this.#options;
    const warnings = this.warnings.filter(({ rule }) => (isOwn(rule.name) ? ownErrors : this.#config.error));
    const [first] = warnings;
    if (first === undefined) return;
    const names = [...new Set(warnings.map(({ rule }) => rule.name))];
    throw new DockerfileError(`Cannot build: lint violation found for rules: ${names.join(", ")}`, {
      code: "E_CHECK_FAILED",
      location: first.at ?? first.location,
      source,
      label: first.message,
      hint: `tsbuild --check . shows all of each; without ${this.#config.error ? "error=true" : "--check-own=error"} they are warnings`,
    });
  }

  /** @throws E_CHECK_OPTION */
  directives(found: readonly Directive[]): void {
    const directive = found.find(({ name }) => name === "check");
    if (directive === undefined || this.#options.given !== undefined) return;
    const config = parseCheckOptions(directiveOptions(directive.value));
    if (typeof config !== "string") {
      this.#config = config;
      return;
    }
    throw new DockerfileError(`Cannot read # check=${directive.value}: ${config}`, {
      code: "E_CHECK_OPTION",
      location: directive.location,
      source: this.#options.source,
      hint: optionHint,
    });
  }

  instruction(instruction: Instruction): void {
    for (const rule of this.#rules)
      if (rule.kind === "written" && rule.on?.includes(instruction.kind) !== false)
        this.#add(rule, instruction.comments, () => rule.check(instruction));
  }

  file(facts: FileFacts): void {
    this.#ast = facts.ast;
    for (const rule of this.#rules) if (rule.kind === "file") this.#add(rule, [], () => rule.check(facts));
  }

  from(facts: FromFacts): void {
    for (const rule of this.#rules)
      if (rule.kind === "from") this.#add(rule, facts.stage.from.comments, () => rule.check(facts));
  }

  base(facts: BaseFacts): void {
    for (const rule of this.#rules) if (rule.kind === "base") this.#add(rule, facts.comments, () => rule.check(facts));
  }

  step(facts: StepFacts): void {
    const { comments, kind } = facts.instruction;
    const step = this.#ast === undefined ? undefined : this.#stepCheck(facts, this.#ast);
    if (step === undefined) return;
    // Of a trigger only BuildKit's checks say something: who writes this Dockerfile cannot change it.
    const fromBase = facts.instruction.location === facts.state.stage.from.location;
    for (const rule of this.#rules)
      if (rule.kind === "step" && rule.on?.includes(kind) !== false && !(fromBase && isOwn(rule.name)))
        this.#add(rule, comments, () => rule.check(step));
  }

  unset(facts: UnsetFacts): void {
    const { locate = () => undefined, unknownBases } = this.#options;
    if (facts.state.base !== undefined && unknownBases?.has(facts.state.base) === true) return;
    const { comments } = facts.instruction;
    for (const rule of this.#rules)
      if (rule.kind === "unset") this.#add(rule, comments, () => rule.check({ ...facts, locate }));
  }

  #stepCheck(facts: StepFacts, ast: DockerfileAst): StepCheck {
    const { ignore, target, unknownBases } = this.#options;
    const { escape } = ast;
    // What cannot be read is an error where it is needed.
    const attempt = <T>(read: (env: ReadonlyMap<string, string>) => T): T | undefined => {
      try {
        return read(envMap(facts.state.env));
      } catch {
        return undefined;
      }
    };
    return {
      ...facts,
      ast,
      target,
      ignore,
      baseKnown: facts.state.base === undefined || unknownBases?.has(facts.state.base) !== true,
      expand: (raw) => attempt((env) => expandWord(raw, env, { escape }).text),
      expandWords: (raw) => attempt((env) => expandWords(raw, env, { escape })) ?? [],
    };
  }

  #add(rule: Rule, comments: readonly string[], check: () => Findings): void {
    const config = rule.wholeFile === true ? this.#config : withComments(this.#config, comments);
    if (!isOn(config, rule) || this.#found.length >= mostWarnings) return;
    for (const finding of check()) if (this.#found.length < mostWarnings) this.#found.push({ ...finding, rule });
  }
}

const optionHint = "write skip=RuleA,RuleB or skip=all, error=true and experimental=RuleA, with ; between them";

function badArgument(value: string, why: string): TsbuildError {
  return new TsbuildError(`Cannot use --build-arg BUILDKIT_DOCKERFILE_CHECK=${value}: ${why}`, {
    code: "E_BUILD_ARG",
    hint: optionHint,
  });
}
