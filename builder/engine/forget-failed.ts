import { TsbuildError } from "../../native/errors.ts";
import type { Store } from "../../store/store.ts";

/** What no second try makes better: the image itself is at fault. */
const final = /^E_(?:NOT_AN_IMAGE|PLATFORM_MISSING|MANIFEST_INVALID|CONFIG_INVALID|COMPRESSION|LAYER_.*|TAR_.*)$/;

/** Fetches an image; of one that can never be used nothing stays. What a broken connection left is gone on with. */
export async function forgettingFailed<T>(store: Store, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    // Its own error is what is told: what this leaves goes with the next collection.
    if (error instanceof TsbuildError && final.test(error.code)) await store.collect({}).catch(() => undefined);
    throw error;
  }
}
