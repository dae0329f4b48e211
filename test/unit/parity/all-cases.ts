import { commands } from "./commands.ts";
import { copy } from "./copy.ts";
import { heredocs } from "./heredocs.ts";
import { lines } from "./lines.ts";
import { metadata } from "./metadata.ts";
import { mounts } from "./mounts.ts";
import { names } from "./names.ts";
import type { PlanCases } from "./plan-case.ts";
import { stages } from "./stages.ts";
import { variables } from "./variables.ts";

/** The tables by theme. */
export const planTables: Readonly<Record<string, PlanCases>> = {
  lines,
  heredocs,
  stages,
  variables,
  commands,
  metadata,
  names,
  COPY: copy,
  "RUN --mount": mounts,
};
