import { withBuiltinArgs } from "../../options/builtin-args.ts";
import { knownTimes } from "../../options/epoch.ts";
import { parseContexts } from "../../inputs/context/named.ts";
import { DockerfileError } from "../../base/error.ts";
import { locateVariable } from "../../dockerfile/locate-variable.ts";
import type { SourceLocation } from "../../base/location.ts";
import type { LintWarning } from "../../lint/linter.ts";
import { isOwn } from "../../lint/rule.ts";
import type { BuildOptions } from "../../options/options.ts";
import { BaseImages } from "./base-images.ts";
import { lookAt } from "./look.ts";
import { LookSession } from "./look-session.ts";

/** Something in a Dockerfile that is allowed and may be wrong. */
export interface CheckWarning {
  /** BuildKit's name, or one of tsbuild's own that begins with `tsbuild/`. */
  readonly rule: string;
  readonly description: string;
  readonly url?: string;
  readonly message: string;
  /** The lines that it is about; `at`: the words in them. */
  readonly location: SourceLocation;
  readonly at?: SourceLocation;
  /** How to mend it. */
  readonly hint?: string;
}

/** What a check found, in the order of lines. */
export interface CheckResult {
  /** Name and text of the Dockerfile. */
  readonly file: string;
  readonly source: string;
  /** Of BuildKit's checks. */
  readonly warnings: readonly CheckWarning[];
  /** Of tsbuild's own. */
  readonly own: readonly CheckWarning[];
  /** What a build fails with before its first step. */
  readonly error: DockerfileError | undefined;
  /** Images that nothing is known of: what depends on them was not checked. */
  readonly notes: readonly string[];
}

/**
 * Checks a Dockerfile: the stages that `target` needs, without it all. Needs no root, writes nothing to the store, and
 * fetches only documents of base images. @throws TsbuildError when there is no Dockerfile to check
 */
export async function runCheck(options: BuildOptions): Promise<CheckResult> {
  const contexts = parseContexts(options.contexts ?? {});
  await using session = new LookSession(options);
  const definition = await session.definition(contexts);
  const { text: source, file, main } = definition;
  await using bases = new BaseImages({ options, session });
  const linter = await definition.linter("all", {
    unknownBases: bases.unknown,
    locate: (name, within) => locateVariable(source, name, within),
  });
  const error = await failureOf(async () => {
    const ast = definition.parse(linter);
    const allStages = options.target === undefined || options.target === "";
    const given = await withBuiltinArgs(options, ast, knownTimes(main.time, contexts));
    await lookAt({ options: given, ast, emit: session.emit, contexts, observer: linter, allStages, bases });
    linter.verdict();
  });
  const warnings = linter.warnings.map(toCheckWarning);
  return {
    file: file.name,
    source,
    warnings: warnings.filter(({ rule }) => !isOwn(rule)),
    own: warnings.filter(({ rule }) => isOwn(rule)),
    error,
    notes: bases.notes,
  };
}

/** What is wrong at a place of the Dockerfile; all else is thrown. */
async function failureOf(act: () => Promise<void>): Promise<DockerfileError | undefined> {
  try {
    await act();
    return undefined;
  } catch (error) {
    if (error instanceof DockerfileError) return error;
    throw error;
  }
}

function toCheckWarning({ rule, message, location, at, hint }: LintWarning): CheckWarning {
  const { name, description, url } = rule;
  return {
    rule: name,
    description,
    ...(url === undefined ? {} : { url }),
    message,
    location,
    ...(at === undefined ? {} : { at }),
    ...(hint === undefined ? {} : { hint }),
  };
}
