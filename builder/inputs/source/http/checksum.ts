import { createHash, type Hash } from "node:crypto";
import { openSync, closeSync, readSync } from "node:fs";
import { TsbuildError } from "../../../../native/errors.ts";
import { UrlError } from "./errors.ts";

const form = /^(?:sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$/;

/** A checksum as `--checksum` has it: `sha256:<64 hex>`, sha384 or sha512. @throws E_CHECKSUM_INVALID */
export function parseChecksum(text: string): string {
  if (form.test(text)) return text;
  throw new TsbuildError(`Cannot read the checksum ${JSON.stringify(text)}: it is not sha256:<64 hex>`, {
    code: "E_CHECKSUM_INVALID",
    hint: "--checksum=sha256:$(sha256sum FILE | cut -c1-64); sha384 and sha512 are understood too",
  });
}

/** Computes a checksum's own algorithm over bytes as they come. */
export class Summer {
  readonly #algorithm: string;
  readonly #hash: Hash;

  constructor(checksum: string) {
    this.#algorithm = checksum.slice(0, checksum.indexOf(":"));
    this.#hash = createHash(this.#algorithm);
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  /** `sha256:...` of all bytes; call once. */
  sum(): string {
    return `${this.#algorithm}:${this.#hash.digest("hex")}`;
  }
}

/** The checksum of a file in the algorithm of another one. */
export function checksumOfFile(path: string, like: string): string {
  const summer = new Summer(like);
  const buffer = Buffer.allocUnsafe(1 << 20);
  const fd = openSync(path, "r");
  try {
    for (let got = readSync(fd, buffer); got > 0; got = readSync(fd, buffer)) summer.update(buffer.subarray(0, got));
    return summer.sum();
  } finally {
    closeSync(fd);
  }
}

/** The error of content that is not what the Dockerfile says. */
export function wrongChecksum(url: string, expected: string, actual: string): UrlError {
  return new UrlError(`Cannot use ${url}: its content is not what --checksum says`, {
    code: "E_URL_CHECKSUM",
    notes: [`expected ${expected}`, `received ${actual}`],
    hint: `if the new content is meant, write --checksum=${actual}`,
  });
}
