import { TsbuildError } from "../../../native/errors.ts";

/** Bytes of the largest Dockerfile that is read. */
export const maxDockerfile: number = 4 << 20;

/** Refuses text that nobody wrote. */
export function tooLarge(
  name: string,
  most: number = maxDockerfile,
  hint: string = "is it a Dockerfile? A context has to be a tar archive, plain or compressed by gzip, bzip2, xz or zstd",
): TsbuildError {
  return new TsbuildError(`Cannot read ${name}: it is larger than ${most >> 20} MiB`, {
    code: "E_DOCKERFILE_SIZE",
    hint,
  });
}
