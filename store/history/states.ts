import { mkdirSync, readFileSync, readdirSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { Root } from "../../native/path.ts";
import { digestOf, splitDigest } from "../oci/digest.ts";
import { replaceFile } from "./write-file.ts";

/** What a step was when its project was built last. */
export interface StepState {
  /** Which step: `build/2`. */
  readonly slot: string;
  /** The instruction as progress shows it. */
  readonly text: string;
  /** Its key by definition. */
  readonly key: string;
  /** It did not end well, so that it has no result. */
  readonly failed?: boolean;
}

/** A state with what its key was made of; read only when a miss has to be explained. */
export interface FullStepState extends StepState {
  readonly inputs: () => Readonly<Record<string, string>>;
}

const keptProjects = 200;

/**
 * The last state of every step of a project (one context and Dockerfile): `states/PROJECT/index.json`, and the inputs
 * of each step in a file of its own. A lost or damaged file is a step that nobody knows.
 */
export class StepStates {
  readonly #root: string;

  constructor(root: string) {
    this.#root = join(root, "states");
  }

  /** By slot. */
  read(project: string): ReadonlyMap<string, FullStepState> {
    const directory = this.#directory(project);
    const known = parseIndex(readJSON(join(directory, "index.json")));
    return new Map(
      known.map((state) => [
        state.slot,
        { ...state, inputs: () => parseInputs(readJSON(join(directory, inputsFile(state.slot)))) },
      ]),
    );
  }

  /** Replaces the states of a project; the inputs of `changed` are written, the others' stay as they are. */
  write(project: string, states: readonly StepState[], changed: readonly FullStepState[]): void {
    const directory = this.#directory(project);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    for (const { slot, inputs } of changed) replaceFile(join(directory, inputsFile(slot)), JSON.stringify(inputs()));
    const index = states.map(({ slot, text, key, failed }) => ({
      slot,
      text,
      key,
      ...(failed === true ? { failed } : {}),
    }));
    replaceFile(join(directory, "index.json"), JSON.stringify(index));
    utimesSync(directory, new Date(), new Date());
    this.#prune();
  }

  #directory(project: string): string {
    return join(this.#root, splitDigest(digestOf(project)).hex.slice(0, 32));
  }

  #prune(): void {
    const names = readdirSync(this.#root);
    if (names.length <= keptProjects) return;
    const used = (name: string): number => statSync(join(this.#root, name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
    const oldest = names.toSorted((a, b) => used(a) - used(b)).slice(0, names.length - keptProjects);
    using root = Root.open(this.#root);
    for (const name of oldest) root.removeTree(name);
  }
}

function inputsFile(slot: string): string {
  return `${splitDigest(digestOf(slot)).hex.slice(0, 32)}.json`;
}

function readJSON(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

function parseIndex(value: unknown): readonly StepState[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((one: unknown): readonly StepState[] => {
    if (typeof one !== "object" || one === null) return [];
    const { slot, text, key, failed }: { slot?: unknown; text?: unknown; key?: unknown; failed?: unknown } = one;
    if (typeof slot !== "string" || typeof text !== "string" || typeof key !== "string") return [];
    return [{ slot, text, key, ...(failed === true ? { failed } : {}) }];
  });
}

function parseInputs(value: unknown): Readonly<Record<string, string>> {
  return isInputs(value) ? value : {};
}

function isInputs(value: unknown): value is Readonly<Record<string, string>> {
  return typeof value === "object" && value !== null && Object.values(value).every((one) => typeof one === "string");
}
