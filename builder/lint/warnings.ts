import type { BuildWarning } from "../graph/events.ts";
import { definitionStep } from "../graph/internal-step.ts";
import type { LintWarning } from "./linter.ts";

/** A warning as a build tells it; `source`: the Dockerfile's text. */
export function toBuildWarning({ rule, message, location, at, hint }: LintWarning, source: string): BuildWarning {
  return {
    digest: definitionStep.digest(),
    rule: rule.name,
    message,
    detail: [rule.description],
    ...(rule.url === undefined ? {} : { url: rule.url }),
    location,
    ...(at === undefined ? {} : { at }),
    ...(hint === undefined ? {} : { hint }),
    source,
  };
}
