import type { BuildEvent, BuildWarning, VertexInfo } from "../../graph/events.ts";
import { lineRanges } from "../../engine/subrequest/line-ranges.ts";
import { jsonText } from "../format/json.ts";
import { shortWarning } from "./short-warning.ts";

/** BuildKit's SolveStatus as JSON lines (`--progress=rawjson`). Own addition: `misses`, which other readers skip. */
export class JsonProgress {
  readonly #vertexes = new Map<string, VertexInfo>();
  readonly #started = new Map<string, number>();

  /** One line, or nothing. */
  event(event: BuildEvent): string {
    const status = this.#status(event);
    return status === undefined ? "" : `${jsonText(status)}\n`;
  }

  #status(event: BuildEvent): object | undefined {
    switch (event.kind) {
      case "vertex":
        this.#vertexes.set(event.vertex.digest, event.vertex);
        return { vertexes: [this.#vertex(event.vertex.digest)] };
      case "started":
        this.#started.set(event.digest, event.time);
        return { vertexes: [this.#vertex(event.digest)] };
      case "completed":
        return {
          vertexes: [
            {
              ...this.#vertex(event.digest),
              completed: rfc3339(event.time),
              ...(event.cached ? { cached: true } : {}),
              ...(event.error === undefined ? {} : { error: event.error }),
            },
          ],
        };
      case "status":
        return { statuses: [statusOf(event)] };
      case "log": {
        const data = Buffer.from(event.data).toString("base64");
        return { logs: [{ vertex: event.digest, stream: event.stream, data, timestamp: rfc3339(event.time) }] };
      }
      case "warning":
        return { warnings: [warningOf(event)] };
      case "miss":
        return { misses: [{ vertex: event.digest, reasons: event.reasons, timestamp: rfc3339(event.time) }] };
      case "network":
      case "result":
        return undefined;
    }
  }

  #vertex(digest: string): object {
    const vertex = this.#vertexes.get(digest);
    const started = this.#started.get(digest);
    const group = vertex?.progressGroup;
    return {
      digest,
      ...(vertex === undefined || vertex.inputs.length === 0 ? {} : { inputs: vertex.inputs }),
      ...(vertex === undefined ? {} : { name: vertex.name }),
      ...(started === undefined ? {} : { started: rfc3339(started) }),
      ...(group === undefined ? {} : { progressGroup: { id: group, name: group } }),
    };
  }
}

function statusOf(event: Extract<BuildEvent, { readonly kind: "status" }>): object {
  return {
    id: event.id,
    vertex: event.digest,
    ...(event.total === 0 ? {} : { total: event.total }),
    current: event.current,
    timestamp: rfc3339(event.time),
    started: rfc3339(event.started),
    ...(event.completed === undefined ? {} : { completed: rfc3339(event.completed) }),
  };
}

/** A larger Dockerfile is not repeated in each of its warnings. */
const mostSource = 1 << 16;

/** BuildKit's VertexWarning. */
export function warningOf(event: BuildWarning): object {
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const { location, source } = event;
  return {
    ...(event.digest === undefined ? {} : { vertex: event.digest }),
    level: 1,
    short: base64(shortWarning(event)),
    ...(event.detail === undefined ? {} : { detail: event.detail.map(base64) }),
    ...(event.url === undefined ? {} : { url: event.url }),
    ...(location === undefined
      ? {}
      : {
          sourceInfo: {
            filename: location.file,
            ...(source === undefined || source.length > mostSource ? {} : { data: base64(source) }),
            language: "Dockerfile",
          },
          range: lineRanges(location),
        }),
  };
}

/** Milliseconds with fractions as Go prints times: nanoseconds, no zeros at the end. */
export function rfc3339(time: number): string {
  const seconds = Math.floor(time / 1000);
  const fraction = Math.round((time - seconds * 1000) * 1e6);
  const carry = fraction >= 1e9;
  const whole = new Date((seconds + (carry ? 1 : 0)) * 1000).toISOString().slice(0, 19);
  const digits = carry ? "" : String(fraction).padStart(9, "0").replace(/0+$/, "");
  return `${whole}${digits === "" ? "" : `.${digits}`}Z`;
}
