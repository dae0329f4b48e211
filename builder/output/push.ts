import { pushImage, RegistryClient, type PushRequest } from "../../registry/index.ts";
import { TsbuildError } from "../../native/errors.ts";
import { compressImage, openBlob } from "../../store/image/blob.ts";
import { storedIndex } from "../../store/image/index-parts.ts";
import { layerOrigins } from "../../store/image/layer-origins.ts";
import { requireStored, sameImage } from "../../store/image/missing.ts";
import type { Descriptor } from "../../store/oci/descriptor.ts";
import type { Digest } from "../../store/oci/digest.ts";
import { imageID, targetOf, type Image } from "../../store/oci/image.ts";
import { parsePlatform } from "../../store/oci/platform.ts";
import { formatReference, parseReference } from "../../store/oci/reference.ts";
import type { Store } from "../../store/store.ts";
import { imageProgress } from "../graph/image-progress.ts";
import type { TransferOptions, TransferResult } from "../options/transfer.ts";
import { pushWhole } from "./push-whole.ts";

/** Sends an image of a store that is open. @throws RegistryError, E_IMAGE_NOT_FOUND, E_REF_INVALID */
export async function pushFrom(store: Store, options: Omit<TransferOptions, "root">): Promise<TransferResult> {
  const { signal } = options;
  const reference = parseReference(options.image);
  if (reference.digest !== undefined) {
    throw new TsbuildError(`Cannot push ${options.image}: a push goes to a tag, not to a digest`, {
      code: "E_REF_INVALID",
    });
  }
  const platform = options.platform === undefined ? undefined : parsePlatform(options.platform);
  const image = await requireStored(store, options.image, platform).catch((error: unknown) => {
    throw untagged(error, store, options.image);
  });
  await using client = new RegistryClient(options.registry ?? {});
  const progress = imageProgress(options.onEvent, `push ${formatReference(reference)}`);
  return await progress.around(async () => {
    const origins = await layerOrigins(store, reference);
    const way = {
      reference,
      openBlob: (desc: Descriptor) => openBlob(store, desc),
      mountFrom: ({ digest: layer }: Descriptor) => origins.get(layer),
      signal,
      onProgress: ({ digest: layer, current, total }: { digest: Digest; current: number; total: number }) =>
        progress.layer({ digest: layer, phase: "upload", current, total }),
    };
    const index = platform === undefined ? await storedIndex(store, targetOf(image)) : undefined;
    const { digest } =
      index === undefined
        ? await pushImage(client, { ...way, ...parts(await compressImage(store, image, signal)) })
        : await pushWhole(store, client, { ...way, image, index });
    return { name: formatReference(reference), digest, imageID: imageID(image) };
  });
}

function parts({ manifest, config }: Image): Pick<PushRequest, "manifest" | "configBytes"> {
  return { manifest, configBytes: config.bytes };
}

/** Who pushes what was built under another name is told how to name it. */
function untagged(error: unknown, store: Store, image: string): unknown {
  if (!(error instanceof TsbuildError) || error.code !== "E_IMAGE_NOT_FOUND") return error;
  const known = sameImage(store, image);
  if (known === undefined) return error;
  const { code, message } = error;
  return new TsbuildError(message, { code, cause: error, hint: `name it first: tsbuild tag ${known} ${image}` });
}
