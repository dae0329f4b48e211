import { errorMessage, TsbuildError } from "../../../native/errors.ts";
import type { BuildRecords } from "../../../store/history/builds.ts";
import { DockerfileError } from "../../base/error.ts";
import type { BuildEvent, BuildResult, UsedNetwork, VertexInfo } from "../../graph/events.ts";
import { canceled } from "../../graph/vertex-events.ts";
import type { MissCause } from "../../graph/causes.ts";
import type { BuildRecord, StepRecord } from "./record.ts";
import { StepLogs } from "./step-logs.ts";

/** What a record says of a build that its events do not. */
export type BuildFacts = Pick<BuildRecord, "context" | "dockerfile" | "tags" | "target" | "platform">;

interface OpenStep {
  readonly vertex: VertexInfo;
  readonly log: string;
  logged: boolean;
  started: number;
  causes: readonly MissCause[];
  record: StepRecord | undefined;
  network: UsedNetwork | undefined;
}

/** Listens to a build: keeps the whole log of each step on disk and, at the end, what became of every step. */
export class BuildRecorder implements Disposable {
  readonly id: string;
  readonly #records: BuildRecords;
  readonly #facts: BuildFacts;
  readonly #steps = new Map<string, OpenStep>();
  readonly #logs: StepLogs;
  readonly #started = Date.now();

  constructor(records: BuildRecords, facts: BuildFacts) {
    this.id = records.newID();
    this.#records = records;
    this.#facts = facts;
    this.#logs = new StepLogs((name) => records.logFile(this.id, name));
  }

  event(event: BuildEvent): void {
    switch (event.kind) {
      case "vertex":
        this.#announced(event.vertex);
        return;
      case "started":
        this.#with(event.digest, (step) => (step.started = event.time));
        return;
      case "log":
        this.#with(event.digest, (step) => {
          step.logged = true;
          this.#logs.write(step.log, event.data);
        });
        return;
      case "miss":
        this.#with(event.digest, (step) => (step.causes = event.causes ?? []));
        return;
      case "completed":
        this.#with(event.digest, (step) => this.#completed(step, event));
        return;
      case "network":
        this.#with(event.digest, (step) => (step.network = networkOf(event)));
        return;
      case "status":
      case "warning":
      case "result":
        return;
      default:
        event satisfies never;
    }
  }

  /** What the steps had: that of one with a reason, if there is one. */
  get network(): UsedNetwork | undefined {
    const used = [...this.#steps.values()].flatMap(({ network }) => network ?? []);
    return used.find(({ reason }) => reason !== undefined) ?? used[0];
  }

  /** Where all that a step printed is; undefined when it printed nothing. */
  logPath(digest: string): string | undefined {
    const step = this.#steps.get(digest);
    return step?.logged === true ? this.#records.logFile(this.id, step.log) : undefined;
  }

  /** Writes the record. What goes wrong here is no failure of the build. */
  finish(
    outcome: { readonly result: BuildResult } | { readonly error: unknown },
    keyOf: (digest: VertexInfo["digest"]) => string | undefined,
  ): void {
    try {
      this.#records.write(this.id, this.#record(outcome, keyOf));
    } catch {
      // A full disk: the build was told of it where it mattered.
    }
  }

  [Symbol.dispose](): void {
    this.#logs[Symbol.dispose]();
  }

  #record(outcome: Parameters<BuildRecorder["finish"]>[0], keyOf: Parameters<BuildRecorder["finish"]>[1]): BuildRecord {
    const steps = [...this.#steps].flatMap(([digest, { record, vertex }]): readonly StepRecord[] => {
      if (record === undefined) return [];
      const key = keyOf(vertex.digest);
      return digest === vertex.digest ? [{ ...record, ...(key === undefined ? {} : { key }) }] : [];
    });
    const ended = {
      version: 1,
      id: this.id,
      started: this.#started,
      milliseconds: Date.now() - this.#started,
      ...this.#facts,
      steps,
    } as const;
    if ("error" in outcome) return { ...ended, ...failureOf(outcome.error) };
    const { imageID, manifestDigest } = outcome.result;
    return {
      ...ended,
      outcome: "done",
      ...(imageID === undefined ? {} : { imageID }),
      ...(manifestDigest === undefined ? {} : { manifestDigest }),
    };
  }

  #announced(vertex: VertexInfo): void {
    if (vertex.slot === undefined || this.#steps.has(vertex.digest)) return;
    const log = `${this.#steps.size + 1}-${vertex.slot.replaceAll(/[^\w.-]/g, "-")}.log`;
    this.#steps.set(vertex.digest, {
      vertex,
      log,
      logged: false,
      started: 0,
      causes: [],
      record: undefined,
      network: undefined,
    });
  }

  #with(digest: string, act: (step: OpenStep) => void): void {
    const step = this.#steps.get(digest);
    if (step !== undefined) act(step);
  }

  #completed(step: OpenStep, event: Extract<BuildEvent, { readonly kind: "completed" }>): void {
    const { vertex, causes, started } = step;
    this.#logs.end(step.log);
    const failed = event.error === canceled ? "canceled" : "failed";
    step.record = {
      slot: vertex.slot ?? "",
      name: vertex.name,
      ...(vertex.line === undefined ? {} : { line: vertex.line }),
      outcome: event.error !== undefined ? failed : event.cached ? "cached" : "ran",
      milliseconds: started === 0 ? 0 : Math.max(0, Math.round(event.time - started)),
      causes,
      ...(step.network === undefined ? {} : { network: step.network }),
      ...(step.logged ? { log: step.log } : {}),
    };
  }
}

function networkOf({ mode, reason }: UsedNetwork): UsedNetwork {
  return { mode, ...(reason === undefined ? {} : { reason }) };
}

function failureOf(error: unknown): Pick<BuildRecord, "outcome" | "error"> {
  const code = error instanceof TsbuildError ? error.code : "E_INTERNAL";
  const aborted = error instanceof Error && (error.name === "AbortError" || error.name === "Interrupted");
  const line = error instanceof DockerfileError ? { line: error.location.start.line } : {};
  return { outcome: aborted ? "canceled" : "failed", error: { code, message: errorMessage(error), ...line } };
}
