import type { CopyOp } from "../../graph/opspec.ts";
import type { Vertex } from "../../graph/vertex.ts";
import type { OpContext } from "../../solve/op.ts";
import type { SolvedStep } from "../../solve/step.ts";
import { now } from "../../../native/clock.ts";

/** Bytes of a context from which on it is worth a word. */
const large = 100_000_000;
const worthNaming = 1_000_000;
const told = 5;

/** What few images need, by name. */
const seldomNeeded: ReadonlySet<string> = new Set(
  ".git .hg .svn node_modules target .venv venv __pycache__ .cache .next .gradle .terraform coverage .idea .vscode".split(
    " ",
  ),
);

/** Counts what a copy takes of a whole context, to say so once in a build when it is much. */
export class ContextSize {
  readonly #sizes = new Map<string, number>();
  #total = 0;

  /** undefined for a copy that does not take all of the build context. */
  static of(op: CopyOp, inputs: readonly SolvedStep[]): ContextSize | undefined {
    const whole = op.sources.some(({ input, path }) => {
      const source = inputs[input]?.vertex.op;
      return source?.kind === "context" && source.name === "" && /^\/*\.?\/*$/.test(path);
    });
    return whole ? new ContextSize() : undefined;
  }

  add(relative: string, size: number): void {
    const slash = relative.indexOf("/");
    const top = slash < 0 ? relative : relative.slice(0, slash);
    this.#sizes.set(top, (this.#sizes.get(top) ?? 0) + size);
    this.#total += size;
  }

  /** A warning with the largest entries and lines for the ignore file, unless the context is small. Once for `build`. */
  tell(vertex: Vertex, { emit }: OpContext, build: object): void {
    if (this.#total < large || toldBuilds.has(build)) return;
    toldBuilds.add(build);
    const sizes = [...this.#sizes].filter(([, size]) => size >= worthNaming);
    const largest = sizes.toSorted(([, a], [, b]) => b - a).slice(0, told);
    const parts = largest.map(([name, size]) => `${name} ${megabytes(size)}`).join(", ");
    const advice = this.#ignoreLines(largest.map(([name]) => name));
    emit({
      kind: "warning",
      digest: vertex.digest,
      time: now(),
      message: `${megabytes(this.#total)} of the context were copied${parts === "" ? "" : `: ${parts}`}${advice}`,
      ...(vertex.location === undefined ? {} : { location: vertex.location }),
    });
  }

  /** A command that may be typed as it is: names that a shell would not take as they are stay out of it. */
  #ignoreLines(largest: readonly string[]): string {
    const needless = [...this.#sizes.keys()].filter((name) => seldomNeeded.has(name));
    const names = (needless.length > 0 ? needless : largest.slice(0, 1)).filter((name) => /^[\w.@+-]+$/.test(name));
    if (names.length === 0) return "";
    return `; what is not needed may stay out (printf '%s\\n' ${names.join(" ")} >> .dockerignore)`;
  }
}

const toldBuilds = new WeakSet<object>();

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
