import { digestOf, type Digest } from "../../../store/oci/digest.ts";
import type { CopyOp } from "../../graph/opspec.ts";
import type { Vertex } from "../../graph/vertex.ts";
import type { SolvedStep, StepKey } from "../../solve/step.ts";
import { SnapshotTree } from "../../inputs/files/snapshot-tree.ts";
import { contentDigest, type ContentDigest } from "../../inputs/files/digest.ts";
import { isFetchedTree, type Sources } from "./readers.ts";
import { hasWildcard, selectionsOf, type Selection } from "../../inputs/files/sources.ts";

/** What one input gives to a key. */
interface Part {
  readonly content: string;
  readonly inputs: () => Readonly<Record<string, string>>;
}

/** The keys of a copy: by what its inputs are, and by what it reads of them. */
export class CopyKeys {
  readonly #op: CopyOp;
  readonly #sources: Sources;
  /** Digests of what is read of the contexts; read once. */
  readonly #contexts = new Map<string, ContentDigest>();

  constructor(op: CopyOp, sources: Sources) {
    this.#op = op;
    this.#sources = sources;
  }

  /** `keys`: of the inputs. */
  defined(vertex: Vertex, keys: readonly Digest[]): StepKey {
    return this.#key(
      keys[0] ?? "",
      vertex.inputs
        .slice(1)
        .map((input, at) => this.#context(input, at + 1) ?? known(input, at + 1, keys[at + 1] ?? "")),
    );
  }

  /** By what is read of stages and images; undefined where nothing is. */
  byContent(vertex: Vertex, steps: readonly SolvedStep[]): StepKey | undefined {
    let read = false;
    const parts = vertex.inputs.slice(1).map((input, at) => {
      const step = steps[at + 1];
      const context = this.#context(input, at + 1);
      if (context !== undefined) return context;
      const opened = isFetchedTree(input)
        ? this.#sources.trees.open(input.digest)
        : step?.snapshot === undefined
          ? undefined
          : SnapshotTree.open(step.snapshot, "the source stage");
      if (opened === undefined) return known(input, at + 1, step?.key ?? "");
      read = true;
      using tree = opened;
      const content = contentDigest(tree, selectionsOf(this.#op, at + 1));
      return {
        content: content.digest,
        inputs: () => (isFetchedTree(input) ? content.inputs() : inStage(content.inputs())),
      };
    });
    return read ? this.#key(steps[0]?.key ?? "", parts) : undefined;
  }

  #key(base: string, parts: readonly Part[]): StepKey {
    let made: Readonly<Record<string, string>> | undefined;
    const contents = parts.length === 0 ? [""] : parts.map(({ content }) => content);
    return {
      key: digestOf(JSON.stringify([this.#op, base, ...contents])),
      inputs: () =>
        (made ??= Object.assign(
          { base, ...flagInputs(this.#op), dest: this.#op.dest },
          ...parts.map((one) => one.inputs()),
        )),
    };
  }

  #context(input: Vertex, at: number): Part | undefined {
    if (input.op.kind !== "context") return undefined;
    const { name } = input.op;
    const found = this.#contexts.get(name) ?? this.#digestContext(name, selectionsOf(this.#op, at));
    this.#contexts.set(name, found);
    return { content: found.digest, inputs: found.inputs };
  }

  /** Digest of what is read of the context. What it was made from is read again when a miss has to be explained. */
  #digestContext(name: string, chosen: readonly Selection[]): ContentDigest {
    const { exclude = [], sources } = this.#op;
    using tree = this.#sources.openContext(name);
    let made: ContentDigest | undefined;
    const compute = (): Digest => {
      made = contentDigest(tree, chosen);
      return made.digest;
    };
    const [first] = chosen;
    // Through a wildcard a symlink may lead anywhere: only what is below one directory can be looked up.
    const digest =
      first !== undefined && chosen.length === 1 && !hasWildcard(first.path)
        ? tree.remembered(first.path, JSON.stringify([sources, exclude]), compute)
        : compute();
    return { digest, inputs: () => made?.inputs() ?? this.#freshInputs(name, chosen) };
  }

  #freshInputs(name: string, chosen: readonly Selection[]): Readonly<Record<string, string>> {
    using tree = this.#sources.openContext(name);
    return contentDigest(tree, chosen).inputs();
  }
}

function known(input: Vertex, at: number, key: string): Part {
  const { op } = input;
  const stage = `the source stage${at === 1 ? "" : ` ${at}`}`;
  const what = op.kind === "http" ? op.url : op.kind === "git" ? op.remote : stage;
  return { content: key, inputs: () => ({ [`content of ${what}`]: key }) };
}

/** Paths of a stage are absolute, those of the context relative. */
function inStage(inputs: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name.replace(/^file /, "file /"), value]));
}

/** What the instruction says, by the names of its flags. */
function flagInputs(op: CopyOp): Readonly<Record<string, string>> {
  const { chown, chmod, exclude = [], unpack } = op;
  return {
    sources: op.sources.map(({ path, include }) => (include === undefined ? path : `${path}/./${include}`)).join(" "),
    ...Object.fromEntries((op.inline ?? []).map(({ name, content }) => [`heredoc ${name}`, content])),
    ...(chown === undefined ? {} : { "--chown": chown }),
    ...(chmod === undefined ? {} : { "--chmod": typeof chmod === "number" ? chmod.toString(8) : chmod }),
    ...(exclude.length === 0 ? {} : { "--exclude": exclude.join(" ") }),
    ...(op.sources.some(({ include }) => include !== undefined) ? { "--parents": "true" } : {}),
    ...(unpack || op.unpackUrls === true ? { "--unpack": "true" } : {}),
    ...(op.link === true ? { "--link": "true" } : {}),
    ...(op.epoch === undefined ? {} : { SOURCE_DATE_EPOCH: String(op.epoch) }),
  };
}
