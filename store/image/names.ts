import { TsbuildError } from "../../native/errors.ts";
import { normalizeTag } from "../oci/reference.ts";
import type { Digest } from "../oci/digest.ts";
import { imageID, targetOf } from "../oci/image.ts";
import type { Store } from "../store.ts";
import { requireStored } from "./missing.ts";
import { danglingName, danglingPrefix, isPrefix, loadUsable, nameOf } from "./stored.ts";

/** Gives an image one more name. @throws E_IMAGE_NOT_FOUND, E_REF_INVALID */
export async function tagImage(store: Store, image: string, name: string): Promise<string> {
  const target = targetOf(await requireStored(store, image));
  const full = normalizeTag(name);
  setName(store, full, target);
  return full;
}

/** Points a name to an image; the image that had the name before stays, without it. */
export function setName(store: Store, name: string, target: Parameters<typeof danglingName>[0]): void {
  store.refs.together(() => {
    const before = store.refs.get(name);
    store.refs.set(name, target);
    store.refs.delete(danglingName(target));
    if (before === undefined || before.target.digest === target.digest) return;
    const named = store.refs.list().some((ref) => ref.target.digest === before.target.digest);
    if (!named) store.refs.set(danglingName(before.target), before.target);
  });
}

/** What a removal did, in docker's order. */
export type Removal =
  | { readonly kind: "untagged"; readonly name: string }
  | { readonly kind: "deleted"; readonly digest: Digest };

/** Names whose documents are gone, or say nothing: nothing but the names is left. An ID is that of what they point to. */
async function unusableNames(store: Store, text: string): Promise<readonly string[]> {
  const name = nameOf(text);
  const named = name === undefined ? undefined : store.refs.get(name);
  const refs = named === undefined ? store.refs.list().filter(({ target }) => isPrefix(text, target.digest)) : [named];
  const names: string[] = [];
  for (const ref of refs) if ((await loadUsable(store, ref)) === undefined) names.push(ref.name);
  return names;
}

/**
 * Takes a name off an image, and the image away with its last one; by ID all names, if `force` or it has one only.
 * Content that nothing needs any more is left to garbage collection. @throws E_IMAGE_NOT_FOUND, E_IMAGE_IN_USE
 */
export async function removeImage(
  store: Store,
  text: string,
  options: { readonly force?: boolean } = {},
): Promise<readonly Removal[]> {
  const unusable = await unusableNames(store, text);
  if (unusable.length > 0) {
    for (const name of unusable) store.refs.delete(name);
    return unusable.map((name) => ({ kind: "untagged", name }));
  }
  const image = await requireStored(store, text);
  const refs = store.refs.list().filter((ref) => ref.target.digest === targetOf(image).digest);
  const byName = nameOf(text) === image.name;
  const chosen = byName ? refs.filter(({ name }) => name === image.name) : refs;
  if (!byName && chosen.length > 1 && options.force !== true) {
    throw new TsbuildError(`Cannot remove ${text}: the image has ${chosen.length} names`, {
      code: "E_IMAGE_IN_USE",
      notes: chosen.map(({ name }) => name),
      hint: `remove the names one by one, or all: tsbuild rmi -f ${text}`,
    });
  }
  const removed: Removal[] = [];
  for (const { name } of chosen) {
    store.refs.delete(name);
    if (!name.startsWith(danglingPrefix)) removed.push({ kind: "untagged", name });
  }
  if (chosen.length === refs.length) removed.push({ kind: "deleted", digest: imageID(image) });
  return removed;
}
