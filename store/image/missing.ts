import { TsbuildError } from "../../native/errors.ts";
import { familiarName } from "../oci/reference.ts";
import type { Platform } from "../oci/platform.ts";
import type { Store } from "../store.ts";
import { danglingPrefix, findStored, type StoredImage } from "./stored.ts";

/** As findStored(), for who cannot go on without. @throws E_IMAGE_NOT_FOUND */
export async function requireStored(store: Store, text: string, platform?: Platform): Promise<StoredImage> {
  const found = await findStored(store, text, platform);
  if (found !== undefined) return found;
  const names = storedNames(store);
  const wanted = withoutTag(text);
  const near = names.find((name) => name.startsWith(wanted)) ?? names.find((name) => name.includes(wanted));
  throw new TsbuildError(`Cannot find the image ${text} in the store`, {
    code: "E_IMAGE_NOT_FOUND",
    hint: near === undefined ? "list what is there: tsbuild images" : `did you mean ${near}?`,
  });
}

/** The name of the store under which the image that is to be pushed as `text` probably is: `app:latest` for `host/app`. */
export function sameImage(store: Store, text: string): string | undefined {
  const last = (name: string): string | undefined => withoutTag(name).split("/").at(-1);
  return storedNames(store).find((name) => last(name) === last(text));
}

function storedNames(store: Store): readonly string[] {
  return store.refs.list().flatMap(({ name }) => (name.startsWith(danglingPrefix) ? [] : [familiarName(name)]));
}

function withoutTag(name: string): string {
  return name.replace(/@.*$/s, "").replace(/:[^/:]*$/, "");
}
