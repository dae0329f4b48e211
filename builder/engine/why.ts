import { checkOptions } from "../../native/arguments.ts";
import { openStore } from "../../store/open.ts";
import { contextID } from "../inputs/context/url.ts";
import { whyTable } from "../options/option-tables.ts";
import type { WhyOptions } from "../options/why.ts";
import { findBuild } from "../solve/record/find.ts";
import type { BuildRecord, StepRecord } from "../solve/record/record.ts";
import { foldMisses, type RootMiss } from "../solve/record/roots.ts";

/** A build as it is remembered, and why steps of it ran. */
export interface ExplainedBuild {
  readonly build: BuildRecord;
  /** Steps that ran for a cause of their own, each with those that only followed. */
  readonly misses: readonly RootMiss<StepRecord>[];
}

/** Why steps of the last build ran. @throws E_BUILD_NOT_FOUND, E_STORE_OPEN, E_STORE_VERSION */
export async function why(options: WhyOptions): Promise<ExplainedBuild> {
  checkOptions("why", options, whyTable);
  const { root, build: wanted, directory = process.cwd() } = options;
  await using store = await openStore({ root });
  const named = wanted === undefined ? undefined : contextID(wanted, directory);
  const build = findBuild(store.builds, wanted, { current: directory, named });
  return { build, misses: foldMisses(build.steps.filter(({ causes }) => causes.length > 0)) };
}
