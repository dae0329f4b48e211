import type { RunMount, RunOp } from "../../graph/opspec.ts";
import type { Vertex } from "../../graph/vertex.ts";
import type { SolvedStep } from "../../solve/step.ts";
import { contentDigest } from "../../inputs/files/digest.ts";
import { noFilter } from "../../inputs/files/filter.ts";
import { SnapshotTree } from "../../inputs/files/snapshot-tree.ts";

/** What the flags say, by the targets of the mounts, to explain a miss. */
export function mountInputs({ mounts = [] }: RunOp): Readonly<Record<string, string>> {
  return Object.fromEntries(mounts.map((mount) => [`--mount ${nameOf(mount)}`, flagText(mount)]));
}

/** As the flag has it: `type=cache,id=/c,sharing=locked`. Which input it reads is told by that one's own name. */
function flagText({ kind, ...rest }: RunMount): string {
  const fields = Object.entries(rest).flatMap(([name, value]) => {
    if (name === "input" || name === "target" || value === false) return [];
    if (name === "seed" && typeof value === "object") return [`from ${value.source}`];
    if (value === true) return [name];
    return [
      `${name}=${name === "mode" && typeof value === "number" ? value.toString(8).padStart(4, "0") : String(value)}`,
    ];
  });
  return [`type=${kind}`, ...fields].join(",");
}

/** What the mounts read from, by its key. */
export function mountKeys({ mounts = [] }: RunOp, sources: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    mounts.flatMap((mount) => {
      const input = inputOf(mount);
      return input === undefined ? [] : [[`source of --mount ${nameOf(mount)}`, sources[input - 1] ?? ""]];
    }),
  );
}

/**
 * Digests of what binds show, where that is only a part of what a stage or image is. A cache's seed counts as a whole.
 * undefined: there is nothing to look at.
 */
export function mountContent(
  { mounts = [] }: RunOp,
  vertex: Vertex,
  inputs: readonly SolvedStep[],
): { readonly parts: readonly string[]; readonly inputs: () => Readonly<Record<string, string>> } | undefined {
  const parts = mounts.flatMap((mount) => {
    const input = inputOf(mount);
    if (input === undefined) return [];
    const step = inputs[input];
    const source = vertex.inputs[input];
    // A copy of the context is keyed by its content already.
    const known = mount.kind !== "bind" || source?.op.kind === "copy" || step?.snapshot === undefined;
    const digest = known ? undefined : digestBelow(step.snapshot, mount.source);
    return [{ name: nameOf(mount), text: digest ?? step?.key ?? "", read: digest !== undefined }];
  });
  if (!parts.some(({ read }) => read)) return undefined;
  return {
    parts: parts.map(({ text }) => text),
    inputs: () => Object.fromEntries(parts.map(({ name, text }) => [`source of --mount ${name}`, text])),
  };
}

function digestBelow(snapshot: NonNullable<SolvedStep["snapshot"]>, source: string): string {
  using tree = SnapshotTree.open(snapshot, "the mount's source");
  const path = source.replace(/^\/+/, "").replaceAll(/[\\*?[\]]/g, (char) => `\\${char}`);
  return contentDigest(tree, [{ path, filter: noFilter, required: undefined }]).digest;
}

function inputOf(mount: RunMount): number | undefined {
  return mount.kind === "bind" ? mount.input : mount.kind === "cache" ? mount.seed?.input : undefined;
}

function nameOf(mount: RunMount): string {
  return mount.target ?? (mount.kind === "secret" ? mount.id : "");
}
