import { hash } from "node:crypto";
import { TsbuildError } from "../../native/errors.ts";

declare const digestBrand: unique symbol;
declare const diffIdBrand: unique symbol;
declare const chainIdBrand: unique symbol;

/** `sha256:<64 hex>` or `sha512:<128 hex>` of bytes as stored. @see image-spec descriptor.md#digests */
export type Digest = string & { readonly [digestBrand]: true };
/** Digest of a layer's uncompressed tar. @see image-spec config.md#layer-diffid */
export type DiffID = Digest & { readonly [diffIdBrand]: true };
/** Digest that names a stack of DiffIDs. @see image-spec config.md#layer-chainid */
export type ChainID = Digest & { readonly [chainIdBrand]: true };

const pattern = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** Whether the text is a digest of a supported algorithm. */
export function isDigest(text: string): text is Digest {
  return pattern.test(text);
}

/** The text as a Digest. @throws E_DIGEST_INVALID */
export function parseDigest(text: string): Digest {
  if (!isDigest(text)) {
    throw new TsbuildError(`Cannot read digest ${JSON.stringify(text)}: not sha256:<64 hex> or sha512:<128 hex>`, {
      code: "E_DIGEST_INVALID",
    });
  }
  return text;
}

/** The digest as the name of a layer's uncompressed tar. */
export function asDiffID(digest: Digest): DiffID {
  return digest as DiffID;
}

/** The digest as the name of a stack of layers. */
export function asChainID(digest: Digest): ChainID {
  return digest as ChainID;
}

/** The algorithm and the hex part. */
export function splitDigest(digest: Digest): { readonly algorithm: "sha256" | "sha512"; readonly hex: string } {
  const [algorithm, hex = ""] = digest.split(":");
  return { algorithm: algorithm === "sha512" ? "sha512" : "sha256", hex };
}

/** The digest of the bytes. */
export function digestOf(bytes: Uint8Array | string, algorithm: "sha256" | "sha512" = "sha256"): Digest {
  return parseDigest(`${algorithm}:${hash(algorithm, bytes)}`);
}

/** ChainID of a stack, base first. `undefined` for the empty stack. @see image-spec config.md#layer-chainid */
export function chainID(diffIDs: readonly DiffID[]): ChainID | undefined {
  let chain: ChainID | undefined;
  for (const diffID of diffIDs) chain = extendChain(chain, diffID);
  return chain;
}

/** ChainID of `parent` with one more layer on top. */
export function extendChain(parent: ChainID | undefined, diffID: DiffID): ChainID {
  return (parent === undefined ? diffID : digestOf(`${parent} ${diffID}`)) as ChainID;
}
