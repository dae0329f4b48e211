import { compileMode } from "../../base/patterns/file-mode.ts";
import type { Root } from "../../../native/path.ts";
import type { CopyOp } from "../../graph/opspec.ts";
import type { Vertex } from "../../graph/vertex.ts";
import type { Op, OpContext, StepResult } from "../../solve/op.ts";
import type { SolvedStep } from "../../solve/step.ts";
import { commitLayer } from "../layer.ts";
import { ownerOf } from "../owner.ts";
import { openWritable } from "../writable.ts";
import { ContextSize } from "./context-size.ts";
import { Copier, type CopyRules } from "../../inputs/files/copier.ts";
import { CopyKeys } from "./keys.ts";
import { openInput, type OpenInput, type Sources } from "./readers.ts";
import { findSources, selections } from "../../inputs/files/sources.ts";
import { unpackArchive, unpackFile } from "../../inputs/files/unpack.ts";

/** COPY and ADD. */
export function copyOp(op: CopyOp, sources: Sources): Op {
  const keys = new CopyKeys(op, sources);
  // Patterns that cannot be read are told before anything is fetched.
  selections(op);
  return {
    recorded: true,
    key: async (vertex, inputs) => keys.defined(vertex, inputs),
    contentKey: async (vertex, inputs) => keys.byContent(vertex, inputs),
    exec: async (vertex, inputs, context) => await execCopy({ op, sources, inputs, context, vertex }),
  };
}

interface Run {
  readonly op: CopyOp;
  readonly sources: Sources;
  readonly inputs: readonly SolvedStep[];
  readonly context: OpContext;
  readonly vertex: Vertex;
}

async function execCopy(run: Run): Promise<StepResult> {
  const { op, inputs, context } = run;
  const [base] = inputs;
  const owner =
    op.chown === undefined && !context.squashOwners ? undefined : ownerOf(op.chown ?? "root", base, context);
  await using active = context.store.snapshots.prepare(base?.snapshot);
  {
    using target = openWritable(active);
    const size = ContextSize.of(op, inputs);
    const onFile = size === undefined ? undefined : size.add.bind(size);
    const copier = new Copier(target, { ...rulesOf(op, owner, context.signal), onFile });
    await copySources(run, { copier, target, owner });
    for (const file of op.inline ?? []) {
      copier.nextSource();
      copier.write(file, op.dest);
    }
    copier.finish();
    size?.tell(run.vertex, context, run.sources);
  }
  return await commitLayer(active, base, { ...context, epoch: op.epoch });
}

function rulesOf(op: CopyOp, owner: CopyRules["owner"], signal: AbortSignal): CopyRules {
  return {
    owner,
    mode: op.chmod === undefined ? undefined : compileMode(op.chmod),
    // As with BuildKit: an octal mode is that of the destination's missing parents too. In a linked layer nobody
    // knows which are missing, and /usr must not become 0644.
    ...(typeof op.chmod === "number" && op.link !== true ? { createdMode: op.chmod & 0o777 } : {}),
    createdTime: BigInt(op.epoch ?? 0) * 1_000_000_000n,
    signal,
  };
}

/** What is written to, and for whom. */
interface Target {
  readonly copier: Copier;
  readonly target: Root;
  readonly owner: CopyRules["owner"];
}

/** In the order of the instruction; each input is opened once. */
async function copySources({ op, sources, inputs, context }: Run, to: Target): Promise<void> {
  using stack = new DisposableStack();
  const opened = new Map<SolvedStep, OpenInput>();
  const { dest } = op;
  const { signal } = context;
  for (const { input, path, filter } of selections(op)) {
    const step = inputs[input];
    if (step === undefined) throw new RangeError(`no input ${input}`);
    const from = opened.get(step) ?? (await openInput(sources, step, context));
    if (!opened.has(step)) stack.use(from.kind === "tree" ? from.tree : from.file);
    opened.set(step, from);
    to.copier.nextSource();
    if (from.kind === "file") {
      const unpacked = op.unpackUrls === true && (await unpackFile({ ...to, fd: from.file.fd, dest, signal }));
      if (!unpacked) to.copier.place(from.file, dest);
      continue;
    }
    for (const source of findSources(from.tree, path)) {
      const unpacked = op.unpack && (await unpackArchive({ ...to, tree: from.tree, source, dest, signal }));
      if (!unpacked) await to.copier.copy(from.tree, source, dest, filter);
    }
  }
}
