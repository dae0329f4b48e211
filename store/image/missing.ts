import { TsbuildError } from "../../native/errors.ts";
import { suits } from "../oci/choose.ts";
import { platformOf, type NamedImage } from "../oci/image.ts";
import { familiarName } from "../oci/reference.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import type { Store } from "../store.ts";
import { danglingPrefix, findStored, nameOf } from "./stored.ts";

/** As findStored(), for who cannot go on without. @throws E_IMAGE_NOT_FOUND, E_PLATFORM_MISSING */
export async function requireStored(store: Store, text: string, platform?: Platform): Promise<NamedImage> {
  const found = await findStored(store, text, platform);
  if (found !== undefined && (platform === undefined || suits(found.config.value, platform))) return found;
  const other = found ?? (platform === undefined ? undefined : await findStored(store, text));
  if (platform !== undefined && other !== undefined) {
    const { os, architecture } = platformOf(other);
    throw new TsbuildError(
      `Cannot use ${text} for ${formatPlatform(platform)}: the store has it for ${os}/${architecture}`,
      {
        code: "E_PLATFORM_MISSING",
        hint: `fetch the other one: tsbuild pull --platform ${formatPlatform(platform)} ${text}   (or leave out --platform)`,
      },
    );
  }
  const name = nameOf(text);
  if (name !== undefined && store.refs.get(name) !== undefined) {
    throw new TsbuildError(`Cannot use the image ${text}: documents of it are missing in the store, or damaged`, {
      code: "E_IMAGE_NOT_FOUND",
      hint: `bring it back: tsbuild pull ${text}, or build it again; or remove its name: tsbuild rmi ${text}`,
    });
  }
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
