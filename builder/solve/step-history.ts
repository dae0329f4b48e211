import type { Digest } from "../../store/oci/digest.ts";
import type { FullStepState, StepStates } from "../../store/history/states.ts";
import { reachable, type Vertex } from "../graph/vertex.ts";
import type { MissCause } from "../graph/causes.ts";
import { explainChange } from "./explain.ts";
import type { StepKey } from "./step.ts";

interface Noted {
  readonly own: StepKey;
  /** Names its result in the keys of the steps on top. */
  readonly result: Digest;
}

/** From a cause that is further below, only the next step is named. */
const farthest = 50;

/** What the steps of a project were in its last build, to explain the misses of this one; save() makes it the last. */
export class StepHistory {
  readonly #states: StepStates;
  readonly #project: string;
  /** Inputs first. Two stages may have the same step, each in a place of its own. */
  readonly #vertices: readonly Vertex[];
  readonly #noted = new Map<Digest, Noted>();
  readonly #begun = new Set<Digest>();
  readonly #settled = new Set<Digest>();
  readonly #failed = new Set<Digest>();
  #read: ReadonlyMap<string, FullStepState> | undefined;
  #beforeByText: ReadonlyMap<string, readonly FullStepState[]> | undefined;
  #texts: ReadonlyMap<string, ReadonlySet<string>> | undefined;

  /** `project` names the context and Dockerfile; `target` is the whole graph. */
  constructor(options: { readonly states: StepStates; readonly project: string; readonly target: Vertex }) {
    this.#states = options.states;
    this.#project = options.project;
    this.#vertices = reachable(options.target);
  }

  /** The key of a step, as far as it is known now; the last call counts. */
  note(vertex: Vertex, own: StepKey, result: Digest): void {
    this.#noted.set(vertex.digest, { own, result });
  }

  /** The step is run now. */
  begin(vertex: Vertex): void {
    this.#begun.add(vertex.digest);
  }

  /** The step has a result. */
  settle(vertex: Vertex): void {
    this.#settled.add(vertex.digest);
  }

  /** The step was begun and has no result. */
  fail(vertex: Vertex): void {
    this.#failed.add(vertex.digest);
  }

  /** The key by definition, for the record of the build. */
  key(digest: Digest): Digest | undefined {
    return this.#noted.get(digest)?.own.key;
  }

  /** Why a step whose key is noted was not found. */
  explain(vertex: Vertex, depth: number = 0): readonly MissCause[] {
    const now = this.#noted.get(vertex.digest);
    const before = this.#find(vertex);
    if (now === undefined || before === undefined) return [{ kind: this.#before.size === 0 ? "first" : "new" }];
    if (before.key === now.own.key) return [{ kind: before.failed === true ? "failed" : "gone" }];
    const inputs = new Map<string | undefined, Vertex>();
    for (const input of vertex.inputs) {
      const result = this.#noted.get(input.digest)?.result;
      if (result !== undefined) inputs.set(result, input);
    }
    const changed = new Set<Vertex>();
    const [was, is] = [before.inputs(), now.own.inputs()];
    const own = explainChange({ text: before.text, inputs: was }, { text: textOf(vertex), inputs: is }, (_, value) => {
      const input = inputs.get(value);
      if (input !== undefined) changed.add(input);
      return input !== undefined;
    });
    const inherited = [...changed].flatMap((input) => this.#inherited(input, depth + 1));
    const causes = [...own, ...inherited];
    if (causes.length > 0) return causes;
    return [{ kind: "input", name: "key", before: before.key.slice(0, 19), now: now.own.key.slice(0, 19) }];
  }

  /** Makes the steps of this build those that the next one is compared with. Writes nothing when all is as before. */
  save(): void {
    const current = new Map<string, FullStepState>();
    const settled = new Set<Digest>();
    const vertices = this.#vertices;
    // What a result stands on is settled too, also when it was only looked up.
    for (const vertex of vertices.toReversed()) {
      if (this.#settled.has(vertex.digest)) settled.add(vertex.digest);
      if (settled.has(vertex.digest)) for (const input of vertex.inputs) settled.add(input.digest);
    }
    for (const vertex of vertices) {
      const state = this.#current(vertex, settled);
      if (state !== undefined) current.set(vertex.slot, state);
    }
    const stages = new Set(vertices.map(({ slot }) => stageOf(slot)));
    const slots = new Set(vertices.map(({ slot }) => slot));
    const kept = [...this.#before.values()].filter(
      ({ slot }) => !current.has(slot) && (slots.has(slot) || !stages.has(stageOf(slot))),
    );
    const changed = [...current.values()].filter((state) => !same(this.#before.get(state.slot), state));
    if (changed.length === 0 && kept.length + current.size === this.#before.size) return;
    this.#states.write(this.#project, [...kept, ...current.values()], changed);
  }

  get #before(): ReadonlyMap<string, FullStepState> {
    return (this.#read ??= this.#states.read(this.#project));
  }

  #current(vertex: Vertex, settled: ReadonlySet<Digest>): FullStepState | undefined {
    const noted = this.#noted.get(vertex.digest);
    const failed = this.#failed.has(vertex.digest);
    if (noted === undefined || (!failed && !settled.has(vertex.digest))) return undefined;
    const { key, inputs } = noted.own;
    return { slot: vertex.slot, text: textOf(vertex), key, inputs, ...(failed ? { failed } : {}) };
  }

  /** The same step of the last build: the same text nearest to the place, else what was in its place. */
  #find(vertex: Vertex): FullStepState | undefined {
    const { slot } = vertex;
    const text = textOf(vertex);
    const inPlace = this.#before.get(slot);
    if (inPlace?.text === text) return inPlace;
    const stage = stageOf(slot);
    const distance = (state: FullStepState): number => Math.abs(numberOf(state.slot) - numberOf(slot));
    let moved: FullStepState | undefined;
    for (const state of this.#sameBefore(stage, text))
      if (moved === undefined || distance(state) < distance(moved)) moved = state;
    if (moved !== undefined) return moved;
    // What was in this place is in another one now: this instruction was put before it.
    const elsewhere = inPlace !== undefined && this.#stageTexts(stage).has(inPlace.text);
    return elsewhere ? undefined : inPlace;
  }

  /** The steps of the last build with this text in the stage. */
  #sameBefore(stage: string, text: string): readonly FullStepState[] {
    this.#beforeByText ??= Map.groupBy(this.#before.values(), (state) => `${stageOf(state.slot)}\n${state.text}`);
    return this.#beforeByText.get(`${stage}\n${text}`) ?? [];
  }

  #moved(vertex: Vertex): boolean {
    const before = this.#find(vertex);
    return before === undefined || before.failed === true || before.key !== this.#noted.get(vertex.digest)?.own.key;
  }

  #stageTexts(stage: string): ReadonlySet<string> {
    if (this.#texts === undefined) {
      const texts = new Map<string, Set<string>>();
      for (const vertex of this.#vertices) {
        const key = stageOf(vertex.slot);
        texts.set(key, (texts.get(key) ?? new Set()).add(textOf(vertex)));
      }
      this.#texts = texts;
    }
    return this.#texts.get(stage) ?? new Set();
  }

  /** What a changed step did to those on top: what did not run itself is told by its own causes. */
  #inherited(input: Vertex, depth: number): readonly MissCause[] {
    // Stacking layers is no step of the Dockerfile: those that made them are.
    if (input.op.kind === "link")
      return input.inputs.filter((one) => this.#moved(one)).flatMap((one) => this.#inherited(one, depth + 1));
    if (depth < farthest && (!this.#begun.has(input.digest) || isSource(input))) {
      const known = new Set(["first", "new", "gone", "failed"]);
      const own = this.explain(input, depth).filter(({ kind }) => !known.has(kind));
      if (own.length > 0) return own;
    }
    return [{ kind: "earlier", slot: input.slot, step: textOf(input), line: input.location?.start.line }];
  }
}

/** What comes from elsewhere: what it is now explains itself, also when it was fetched in this build. */
function isSource({ op }: Vertex): boolean {
  return op.kind === "image" || op.kind === "http" || op.kind === "git";
}

/** The instruction without its number: `RUN npm ci`. */
export function textOf(vertex: Vertex): string {
  return vertex.name.replace(/^\[[^\]]*\] /, "");
}

function stageOf(slot: string): string {
  return slot.slice(0, slot.lastIndexOf("/"));
}

function numberOf(slot: string): number {
  return Number(slot.slice(slot.lastIndexOf("/") + 1));
}

function same(before: FullStepState | undefined, now: FullStepState): boolean {
  return before?.key === now.key && before.text === now.text && before.failed === now.failed;
}
