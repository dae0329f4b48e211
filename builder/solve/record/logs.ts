import { existsSync } from "node:fs";
import { join } from "node:path";
import { TsbuildError } from "../../../native/errors.ts";
import type { BuildRecords } from "../../../store/history/builds.ts";
import { parseBuildRecord, type BuildRecord, type StepRecord } from "./record.ts";

/** A step and the file with all that it printed, in this build or in the one that its result is from. */
export interface StepLog {
  readonly step: StepRecord;
  readonly path: string;
}

/**
 * Logs of a build's steps that printed something. `wanted`: the line of the instruction, the step's slot (`build/2`),
 * or `failed`. @throws E_LOG_NOT_FOUND
 */
export function findLogs(records: BuildRecords, build: BuildRecord, wanted: string | undefined): readonly StepLog[] {
  const steps = build.steps.filter((step) => wanted === undefined || isMeant(step, wanted));
  const logs = steps.flatMap((step): readonly StepLog[] => {
    const path = step.outcome === "cached" ? earlierLog(records, step) : pathOf(records, build.id, step);
    return path === undefined ? [] : [{ step, path }];
  });
  if (logs.length > 0 || wanted === undefined) return logs;
  const why = steps.length === 0 ? "the build has no such step" : "nothing is kept of it";
  throw new TsbuildError(`Cannot show the log of step ${wanted}: ${why}`, {
    code: "E_LOG_NOT_FOUND",
    hint: "name a step by its line in the Dockerfile, as build/2, or `failed`; without one all logs are shown",
  });
}

function isMeant(step: StepRecord, wanted: string): boolean {
  if (wanted === "failed") return step.outcome === "failed";
  return step.slot === wanted || (/^\d+$/.test(wanted) && step.line === Number(wanted));
}

/** The log of the build that made the cached result. */
function earlierLog(records: BuildRecords, step: StepRecord): string | undefined {
  if (step.key === undefined) return undefined;
  for (const id of records.list()) {
    const made = parseBuildRecord(records.read(id))?.steps.find((one) => one.key === step.key && one.outcome === "ran");
    if (made !== undefined) return pathOf(records, id, made);
  }
  return undefined;
}

function pathOf(records: BuildRecords, id: string, { log }: StepRecord): string | undefined {
  if (log === undefined) return undefined;
  const path = join(records.directory(id), "logs", log);
  return existsSync(path) ? path : undefined;
}
