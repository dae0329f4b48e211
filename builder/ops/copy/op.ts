import { TsbuildError } from "../../../native/errors.ts";
import { compileMode } from "../../dockerfile/file-mode.ts";
import { digestOf, type Digest } from "../../../store/oci/digest.ts";
import type { CopyOp } from "../../graph/opspec.ts";
import type { Vertex } from "../../graph/vertex.ts";
import type { Op, OpContext } from "../../solve/op.ts";
import type { SolvedStep, StepKey } from "../../solve/step.ts";
import { commitLayer } from "../layer.ts";
import { SnapshotTree } from "../snapshot-tree.ts";
import { userFiles } from "../user-files.ts";
import { resolveOwner } from "../user.ts";
import { openWritable } from "../writable.ts";
import { Copier } from "./copier.ts";
import { contentDigest, type ContentDigest } from "./digest.ts";
import { findSources, hasWildcard, selections, type Selection } from "./sources.ts";
import type { SourceTree } from "./tree.ts";
import { unpackArchive } from "./unpack.ts";

/** Opens the context of a name, "" the build context; the caller disposes it. */
export type OpenContext = (name: string) => SourceTree;

/** COPY and ADD. */
export function copyOp(op: CopyOp, openContext: OpenContext): Op {
  const contents = new Map<Vertex, Promise<ContentDigest>>();
  const chosen = selections(op);
  /** Digest of what is read of the context; read once. */
  const contextContent = (vertex: Vertex): Promise<ContentDigest> => {
    const known = contents.get(vertex) ?? digestContext(() => openContext(contextName(vertex)), op, chosen);
    contents.set(vertex, known);
    return known;
  };
  return {
    recorded: true,
    async key(vertex, inputs) {
      const [base = "", from = ""] = inputs;
      if (vertex.inputs[1] === undefined) return keyOf(op, base, "", () => ({}));
      if (vertex.inputs[1].op.kind !== "context")
        return keyOf(op, base, from, () => ({ "content of the source stage": from }));
      const content = await contextContent(vertex);
      return keyOf(op, base, content.digest, content.inputs);
    },
    async contentKey(vertex, [base, from]) {
      if (vertex.inputs[1]?.op.kind === "context" || from?.snapshot === undefined) return undefined;
      using tree = SnapshotTree.open(from.snapshot, "the source stage");
      const content = contentDigest(tree, chosen);
      return keyOf(op, base?.key ?? "", content.digest, () => inStage(content.inputs()));
    },
    exec: async (vertex, inputs, context) => await execCopy({ op, openContext, vertex, inputs, context }),
  };
}

/** Paths of a stage are absolute, those of the context relative. */
function inStage(inputs: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name.replace(/^file /, "file /"), value]));
}

/** Digest of what is read of the context. What it was made from is read again when a miss has to be explained. */
async function digestContext(
  openContext: () => SourceTree,
  op: CopyOp,
  chosen: readonly Selection[],
): Promise<ContentDigest> {
  using tree = openContext();
  let made: ContentDigest | undefined;
  const compute = (): Digest => {
    made = contentDigest(tree, chosen);
    return made.digest;
  };
  const [first] = chosen;
  // Through a wildcard a symlink may lead anywhere: only what is below one directory can be looked up.
  const digest =
    first !== undefined && chosen.length === 1 && !hasWildcard(first.path)
      ? tree.remembered(first.path, JSON.stringify([op.sources, op.exclude ?? []]), compute)
      : compute();
  return { digest, inputs: () => made?.inputs() ?? freshInputs(openContext, chosen) };
}

function freshInputs(openContext: () => SourceTree, chosen: readonly Selection[]): Readonly<Record<string, string>> {
  using tree = openContext();
  return contentDigest(tree, chosen).inputs();
}

function keyOf(op: CopyOp, base: string, content: string, parts: () => Readonly<Record<string, string>>): StepKey {
  let made: Readonly<Record<string, string>> | undefined;
  return {
    key: digestOf(JSON.stringify([op, base, content])),
    inputs: () => (made ??= { base, ...flagInputs(op), dest: op.dest, ...parts() }),
  };
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
    ...(unpack ? { "--unpack": "true" } : {}),
    ...(op.link === true ? { "--link": "true" } : {}),
    ...(op.epoch === undefined ? {} : { SOURCE_DATE_EPOCH: String(op.epoch) }),
  };
}

async function execCopy(run: {
  readonly op: CopyOp;
  readonly openContext: OpenContext;
  readonly vertex: Vertex;
  readonly inputs: readonly SolvedStep[];
  readonly context: OpContext;
}): Promise<{ snapshot: SolvedStep["snapshot"]; identity: SolvedStep["identity"] }> {
  const { op, vertex, inputs, context } = run;
  const [base, from] = inputs;
  const owner = op.chown === undefined ? undefined : resolveOwner(op.chown, userFiles(base?.snapshot));
  await using active = context.store.snapshots.prepare(base?.snapshot);
  {
    using target = openWritable(active);
    const copier = new Copier(target, {
      owner,
      mode: op.chmod === undefined ? undefined : compileMode(op.chmod),
      // As with BuildKit: an octal mode is that of the destination's missing parents too. In a linked layer nobody
      // knows which are missing, and /usr must not become 0644.
      ...(typeof op.chmod === "number" && op.link !== true ? { createdMode: op.chmod & 0o777 } : {}),
      createdTime: BigInt(op.epoch ?? 0) * 1_000_000_000n,
      signal: context.signal,
    });
    const chosen = selections(op);
    if (chosen.length > 0) {
      using tree = openSource(run.openContext, vertex, from);
      for (const { path, filter } of chosen) {
        for (const source of findSources(tree, path)) {
          const unpacked =
            op.unpack &&
            (await unpackArchive({ tree, source, copier, dest: op.dest, target, owner, signal: context.signal }));
          if (!unpacked) await copier.copy(tree, source, op.dest, filter);
        }
      }
    }
    for (const file of op.inline ?? []) copier.write(file, op.dest);
    copier.finish();
  }
  return await commitLayer(active, base, { ...context, epoch: op.epoch });
}

function openSource(openContext: OpenContext, vertex: Vertex, from: SolvedStep | undefined): SourceTree {
  if (vertex.inputs[1]?.op.kind === "context") return openContext(contextName(vertex));
  if (from?.snapshot === undefined) {
    throw new TsbuildError("Cannot copy from an empty stage: it is FROM scratch without any file", {
      code: "E_COPY_NOT_FOUND",
    });
  }
  return SnapshotTree.open(from.snapshot, "the source stage");
}

function contextName(vertex: Vertex): string {
  const op = vertex.inputs[1]?.op;
  return op?.kind === "context" ? op.name : "";
}
