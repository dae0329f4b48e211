import { TsbuildError } from "../../../native/errors.ts";
import { maxDockerfile } from "../../dockerfile/max-size.ts";

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
