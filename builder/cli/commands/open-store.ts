import { openStore } from "../../../store/open.ts";
import type { Store } from "../../../store/store.ts";
import type { Invocation } from "../flags/command.ts";
import { engineOptions } from "../flags/engine-options.ts";

/** The store of this invocation; `freeing` for one that makes space on its disk. */
export async function openInvocationStore(
  invocation: Invocation,
  options: { readonly freeing?: boolean } = {},
): Promise<Store> {
  return await openStore({ root: engineOptions(invocation).root, ...options });
}
