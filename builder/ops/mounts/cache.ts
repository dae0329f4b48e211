import { TsbuildError } from "../../../native/errors.ts";
import { Root } from "../../../native/path.ts";
import type { BindMount } from "../../../runtime/index.ts";
import type { CacheIdentity } from "../../../store/cache-mounts.ts";
import type { RunCache, RunMount } from "../../graph/opspec.ts";
import { Copier } from "../../inputs/files/copier.ts";
import { noFilter } from "../../inputs/files/filter.ts";
import { resolveInRoot, statInRoot } from "../../inputs/files/resolve.ts";
import { SnapshotTree } from "../../inputs/files/snapshot-tree.ts";
import type { MountResources } from "./resources.ts";

/**
 * Takes the caches of a step, in the order of their keys whatever that of the flags: two steps that need the same two
 * cannot wait for each other. One that is named twice is taken once.
 */
export async function takeCaches(
  { mounts, inputs, context, emptied }: MountResources,
  stack: AsyncDisposableStack,
): Promise<ReadonlyMap<RunMount, BindMount>> {
  const { cacheMounts } = context.store;
  const wanted = mounts
    .flatMap((mount) => (mount.kind === "cache" ? [{ mount, identity: identityOf(mount, inputs) }] : []))
    .map((one) => ({ ...one, key: cacheMounts.key(one.identity) }))
    .toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : strictness(b.mount) - strictness(a.mount)));
  const taken = new Map<string, string>();
  const made = new Map<RunMount, BindMount>();
  for (const { mount, identity, key } of wanted) {
    if (emptied !== undefined && !emptied.has(key)) emptied.set(key, cacheMounts.empty(identity, context.signal));
    await emptied?.get(key);
    const directory = taken.get(key) ?? (await take(mount, identity, { inputs, context, stack }));
    taken.set(key, directory);
    made.set(mount, cacheMount(mount, directory));
  }
  return made;
}

function cacheMount({ id, source, target, readonly }: RunCache, directory: string): BindMount {
  const mount: BindMount = { kind: "bind", source: directory, target, attributes: readonly ? ["ro"] : [] };
  if (source === undefined) return mount;
  using root = Root.open(directory);
  if (statInRoot(root, resolveInRoot(root, source)) !== undefined) return { ...mount, inside: source };
  throw new TsbuildError(`Cannot mount ${JSON.stringify(source)} of the cache ${JSON.stringify(id)}: it is not in it`, {
    code: "E_MOUNT_SOURCE",
    hint: "make it in a step that mounts the whole cache, or leave out source",
  });
}

/** Of several mounts of one cache the strictest says how it is shared. */
function strictness({ sharing }: RunCache): number {
  return ["shared", "private", "locked"].indexOf(sharing);
}

function identityOf({ id, seed, mode, uid, gid }: RunCache, inputs: MountResources["inputs"]): CacheIdentity {
  const from = seed === undefined ? undefined : inputs[seed.input]?.key;
  return { id, seed: from === undefined ? "" : JSON.stringify([from, seed?.source]), mode, uid, gid };
}

async function take(
  mount: RunCache,
  identity: CacheIdentity,
  { inputs, context, stack }: Pick<MountResources, "inputs" | "context"> & { readonly stack: AsyncDisposableStack },
): Promise<string> {
  const fill = async (directory: string): Promise<void> => {
    const snapshot = mount.seed === undefined ? undefined : inputs[mount.seed.input]?.snapshot;
    if (mount.seed === undefined) return;
    if (snapshot === undefined && mount.seed.source === "/") return;
    if (snapshot === undefined) throw notDirectory(mount.seed.source);
    using tree = SnapshotTree.open(snapshot, "the source of the cache");
    const resolved = resolveInRoot(tree.root, mount.seed.source);
    const stat = statInRoot(tree.root, resolved);
    if (stat?.type !== "directory") throw notDirectory(mount.seed.source);
    using target = Root.open(directory);
    const copier = new Copier(target, { owner: undefined, mode: undefined, createdTime: 0n, signal: context.signal });
    await copier.copy(tree, { path: resolved, resolved, stat }, "/", noFilter);
    copier.finish();
  };
  const held = stack.use(
    await context.store.cacheMounts.take(identity, { sharing: mount.sharing, fill, signal: context.signal }),
  );
  return held.directory;
}

function notDirectory(source: string): TsbuildError {
  return new TsbuildError(`Cannot fill the cache from ${JSON.stringify(source)}: it is no directory of its source`, {
    code: "E_MOUNT_SOURCE",
    hint: "check source= and from=",
  });
}
