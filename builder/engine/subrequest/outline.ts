import { withBuiltinArgs } from "../../options/builtin-args.ts";
import { knownTimes } from "../../options/epoch.ts";
import { parseContexts } from "../../inputs/context/named.ts";
import type { SourceLocation } from "../../base/location.ts";
import type { BuildOptions } from "../../options/options.ts";
import { BaseImages } from "./base-images.ts";
import { description } from "./description.ts";
import { lookAt } from "./look.ts";
import { globalParameters, type GlobalParameters } from "./global-parameters.ts";
import {
  ParameterCollector,
  type OutlineArg,
  type OutlineCache,
  type OutlineMount,
  type StageParameters,
} from "./parameters.ts";
import { LookSession } from "./look-session.ts";

/** What a build of a target can be given; each list in the order of lines. */
export interface Outline {
  readonly file: string;
  readonly source: string;
  /** Of the stage; "" without one. */
  readonly name: string;
  readonly description: string;
  readonly args: readonly OutlineArg[];
  readonly secrets: readonly OutlineMount[];
  readonly ssh: readonly OutlineMount[];
  readonly caches: readonly OutlineCache[];
  /** Images that nothing is known of: values that come from them are missing. */
  readonly notes: readonly string[];
}

/** The parameters of a target, with all stages that it needs. @throws DockerfileError, TsbuildError */
export async function runOutline(options: BuildOptions): Promise<Outline> {
  const contexts = parseContexts(options.contexts ?? {});
  await using session = new LookSession(options);
  const definition = await session.definition(contexts);
  await using bases = new BaseImages({ options, session });
  const ast = definition.parse();
  const given = await withBuiltinArgs(options, ast, knownTimes(definition.main.time, contexts));
  const buildArgs = new Map(Object.entries(given.buildArgs ?? {}));
  const collector = new ParameterCollector(buildArgs);
  const plan = await lookAt({ options: given, ast, emit: session.emit, contexts, observer: collector, bases });
  const target = ast.stages[plan.targetIndex];
  // What several stages have is told as the target has it, then as those closest to it.
  const others = plan.stages.filter((index) => index !== plan.targetIndex).toSorted((a, b) => b - a);
  const found = [plan.targetIndex, ...others].map((index) => collector.stage(index));
  const globals = globalParameters(ast, collector.predefined, buildArgs);
  return {
    file: definition.file.name,
    source: definition.text,
    name: target?.name ?? "",
    description: target === undefined ? "" : description(target.from.comments, target.name),
    args: byLine(
      unique(
        found.flatMap((stage) => usedArgs(stage, globals)),
        ({ name }) => name,
      ),
    ),
    secrets: byLine(
      unique(
        found.flatMap(({ secrets }) => secrets),
        ({ name }) => name,
      ),
    ),
    ssh: byLine(
      unique(
        found.flatMap(({ ssh }) => ssh),
        ({ name }) => name,
      ),
    ),
    caches: byLine(
      unique(
        found.flatMap(({ caches }) => caches),
        ({ id }) => id,
      ),
    ),
    notes: bases.notes,
  };
}

/** The ARGs of a stage, and those before the first FROM that it takes or that these are made of. */
function usedArgs({ used, args }: StageParameters, globals: GlobalParameters): readonly OutlineArg[] {
  const names = new Set(used);
  // What is added while it is walked is walked as well.
  for (const name of names) if (!args.has(name)) for (const part of globals.get(name)?.madeOf ?? []) names.add(part);
  return [...names].flatMap((name) => args.get(name) ?? globals.get(name)?.arg ?? []);
}

function unique<T>(list: readonly T[], key: (one: T) => string): readonly T[] {
  const found = new Map<string, T>();
  for (const one of list) if (!found.has(key(one))) found.set(key(one), one);
  return [...found.values()];
}

function byLine<T extends { readonly location: SourceLocation }>(list: readonly T[]): readonly T[] {
  return list.toSorted((a, b) => a.location.start.line - b.location.start.line);
}
