import type { UsedNetwork } from "../../graph/events.ts";
import type { MissCause } from "../../graph/causes.ts";

/** How a step of a build ended. */
export type StepOutcome = "cached" | "ran" | "failed" | "canceled";

/** One step of a recorded build. Times in milliseconds. */
export interface StepRecord {
  /** Which step of the Dockerfile: `build/2`. */
  readonly slot: string;
  /** As progress showed it: `[build 2/5] RUN npm ci`. */
  readonly name: string;
  readonly line?: number;
  /** Its key by definition. */
  readonly key?: string;
  readonly outcome: StepOutcome;
  readonly milliseconds: number;
  /** Why it was not taken from the cache; empty for one that was. */
  readonly causes: readonly MissCause[];
  readonly network?: UsedNetwork;
  /** Name of the file in the build's `logs` with all that the step printed; a step that was silent has none. */
  readonly log?: string;
}

/** What a build was and did: plain JSON, kept in the store, without secrets. */
export interface BuildRecord {
  readonly version: 1;
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly started: number;
  readonly milliseconds: number;
  readonly context: string;
  readonly dockerfile: string;
  readonly tags: readonly string[];
  readonly target?: string;
  readonly platform?: string;
  readonly outcome: "done" | "failed" | "canceled";
  readonly error?: { readonly code: string; readonly message: string; readonly line?: number };
  readonly imageID?: string;
  readonly manifestDigest?: string;
  readonly steps: readonly StepRecord[];
}

/** A record read from the store; undefined when it is none of this version. */
export function parseBuildRecord(value: unknown): BuildRecord | undefined {
  return isBuildRecord(value) ? value : undefined;
}

/** The store is the engine's own: its shape is checked where a damaged file would mislead. */
function isBuildRecord(value: unknown): value is BuildRecord {
  if (typeof value !== "object" || value === null) return false;
  const fields: {
    version?: unknown;
    id?: unknown;
    started?: unknown;
    context?: unknown;
    steps?: unknown;
    tags?: unknown;
  } = value;
  return (
    fields.version === 1 &&
    typeof fields.id === "string" &&
    typeof fields.started === "number" &&
    typeof fields.context === "string" &&
    Array.isArray(fields.tags) &&
    Array.isArray(fields.steps) &&
    fields.steps.every(isStepRecord)
  );
}

function isStepRecord(value: unknown): value is StepRecord {
  if (typeof value !== "object" || value === null) return false;
  const fields: { slot?: unknown; name?: unknown; outcome?: unknown; causes?: unknown } = value;
  return (
    typeof fields.slot === "string" &&
    typeof fields.name === "string" &&
    typeof fields.outcome === "string" &&
    Array.isArray(fields.causes)
  );
}
