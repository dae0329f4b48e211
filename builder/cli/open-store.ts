import { openStore } from "../../store/open.ts";
import type { Store } from "../../store/store.ts";
import type { Invocation } from "./command.ts";
import { engineOptions } from "./engine-options.ts";

/** The store of this invocation. */
export async function openInvocationStore(invocation: Invocation): Promise<Store> {
  return await openStore({ root: engineOptions(invocation).root });
}
