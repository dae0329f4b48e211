import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Root } from "../../native/path.ts";
import { digestOf, splitDigest } from "../oci/digest.ts";
import { replaceFile } from "../replace-file.ts";

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

/** Where the inputs of a step are: bytes of a file beside the index. */
interface Place {
  readonly file: string;
  readonly at: number;
  readonly size: number;
}

interface Indexed extends StepState {
  readonly place: Place | undefined;
}

/**
 * The last state of every step of a project (one context and Dockerfile): `states/PROJECT/index.json`, and beside it the
 * inputs of its steps, those that one build has changed in one file. A lost or damaged file is a step that nobody knows.
 */
export class StepStates {
  readonly #root: string;

  constructor(root: string) {
    this.#root = join(root, "states");
  }

  /** By slot. */
  read(project: string): ReadonlyMap<string, FullStepState> {
    const directory = this.#directory(project);
    return new Map(
      readIndex(directory).map(({ place, ...state }) => [
        state.slot,
        { ...state, inputs: () => (place === undefined ? {} : readInputs(directory, place)) },
      ]),
    );
  }

  /** Replaces the states of a project; the inputs of `changed` are written, the others' stay as they are. */
  write(project: string, states: readonly StepState[], changed: readonly FullStepState[]): void {
    const directory = this.#directory(project);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const places = new Map(readIndex(directory).map(({ slot, place }) => [slot, place]));
    for (const [slot, place] of writeInputs(directory, changed)) places.set(slot, place);
    const index = states.map(({ slot, text, key, failed }) => ({
      slot,
      text,
      key,
      ...(failed === true ? { failed } : {}),
      place: places.get(slot),
    }));
    replaceFile(join(directory, indexFile), JSON.stringify(index));
    const used = new Set(index.map(({ place }) => place?.file));
    const unused = readdirSync(directory).filter((name) => inputsPattern.test(name) && !used.has(name));
    for (const name of unused) rmSync(join(directory, name), { force: true });
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

const indexFile = "index.json";
/** Also of a release that had a file for each step. */
const inputsPattern = /^(?:[0-9a-f]{16}\.inputs|[0-9a-f]{32}\.json)$/;

function writeInputs(directory: string, changed: readonly FullStepState[]): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>();
  if (changed.length === 0) return places;
  const file = `${randomBytes(8).toString("hex")}.inputs`;
  const texts: Buffer[] = [];
  let at = 0;
  for (const { slot, inputs } of changed) {
    const text = Buffer.from(JSON.stringify(inputs()));
    places.set(slot, { file, at, size: text.length });
    texts.push(text);
    at += text.length;
  }
  writeFileSync(join(directory, file), Buffer.concat(texts), { mode: 0o600 });
  return places;
}

function readInputs(directory: string, { file, at, size }: Place): Readonly<Record<string, string>> {
  try {
    const bytes = readFileSync(join(directory, file)).subarray(at, at + size);
    return parseInputs(JSON.parse(bytes.toString("utf8")));
  } catch {
    return {};
  }
}

function readIndex(directory: string): readonly Indexed[] {
  return parseIndex(readJSON(join(directory, indexFile)));
}

function readJSON(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

function parseIndex(value: unknown): readonly Indexed[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((one: unknown): readonly Indexed[] => {
    if (typeof one !== "object" || one === null) return [];
    const { slot, text, key, failed, place }: Partial<Record<keyof Indexed, unknown>> = one;
    if (typeof slot !== "string" || typeof text !== "string" || typeof key !== "string") return [];
    return [{ slot, text, key, ...(failed === true ? { failed } : {}), place: parsePlace(place) }];
  });
}

function parsePlace(value: unknown): Place | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { file, at, size }: Partial<Record<keyof Place, unknown>> = value;
  if (typeof file !== "string" || !inputsPattern.test(file)) return undefined;
  return typeof at === "number" && typeof size === "number" ? { file, at, size } : undefined;
}

function parseInputs(value: unknown): Readonly<Record<string, string>> {
  return isInputs(value) ? value : {};
}

function isInputs(value: unknown): value is Readonly<Record<string, string>> {
  return typeof value === "object" && value !== null && Object.values(value).every((one) => typeof one === "string");
}
