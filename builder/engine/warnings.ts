import { now } from "../../native/clock.ts";
import { suggest } from "../base/suggest.ts";
import type { BuildPlan } from "../convert/convert.ts";
import { isStage } from "../convert/stage-names.ts";
import type { DockerfileAst } from "../dockerfile/ast.ts";
import type { BuildWarning, ProgressSink } from "../graph/events.ts";
import type { Linter } from "../lint/linter.ts";
import { toBuildWarning } from "../lint/warnings.ts";
import type { BuildOptions } from "../options/options.ts";

/** A Dockerfile made to have more warnings than this is not told of all in its result. */
const mostWarnings = 1000;

/** Passes events on, and adds those that are warnings to the list. */
export function keepingWarnings(tell: ProgressSink, warnings: BuildWarning[]): ProgressSink {
  return (event) => {
    if (event.kind === "warning" && warnings.length < mostWarnings) {
      const { kind: _kind, time: _time, ...warning } = event;
      warnings.push(warning);
    }
    tell(event);
  };
}

/** Reports what the checks found while something was done, also when that fails. */
export async function reportingChecks<T>(
  { linter, source, emit }: { readonly linter: Linter; readonly source: string; readonly emit: ProgressSink },
  act: () => Promise<T>,
): Promise<T> {
  try {
    return await act();
  } finally {
    for (const warning of linter.warnings) emit({ kind: "warning", time: now(), ...toBuildWarning(warning, source) });
  }
}

/** Warns of build arguments that no ARG took. */
export function warnOfArgs({ unusedArgs }: BuildPlan, emit: ProgressSink): void {
  for (const name of unusedArgs)
    emit({ kind: "warning", time: now(), message: `One or more build-args [${name}] were not consumed` });
}

/** A name of --no-cache-filter that no stage has does nothing: that is hardly meant. */
export function warnOfFilters({ noCache }: BuildOptions, ast: DockerfileAst, emit: ProgressSink): void {
  if (noCache === undefined || typeof noCache === "boolean") return;
  const stages = ast.stages.flatMap((stage) => stage.name ?? []);
  for (const name of noCache) {
    if (ast.stages.some((stage) => isStage(stage, name))) continue;
    const near = suggest(name, stages);
    const meant = near === undefined ? "" : ` (did you mean ${near}?)`;
    emit({
      kind: "warning",
      time: now(),
      message: `No stage is called ${JSON.stringify(name)}: --no-cache-filter does nothing${meant}`,
    });
  }
}
