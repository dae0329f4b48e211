import { TsbuildError } from "../../../native/errors.ts";
import { openFlags, Root } from "../../../native/path.ts";
import { closeFd, readFd } from "../../../native/syscall.ts";
import { suggest } from "../../base/suggest.ts";
import { parentInRoot, resolveInRoot, statInRoot } from "../files/resolve.ts";
import { dockerfileNames, type FoundDockerfile } from "./dockerfile.ts";
import { maxDockerfile } from "../../dockerfile/max-size.ts";
import { tooLarge } from "./too-large.ts";

/**
 * The Dockerfile of a context that came from elsewhere: symlinks lead nowhere but inside of it.
 * @throws E_DOCKERFILE_NOT_FOUND, E_DOCKERFILE_SIZE
 */
export function dockerfileInside(directory: string, given: string | undefined): FoundDockerfile {
  using root = Root.open(directory);
  for (const path of dockerfileNames(given)) {
    const bytes = readInside(root, path);
    if (bytes !== undefined) return { path: `/${path}`, name: path, bytes };
  }
  const wanted = given ?? "Dockerfile";
  using top = root.dir("");
  const near = suggest(wanted, top.names());
  throw new TsbuildError(`Cannot find ${wanted} in the build context`, {
    code: "E_DOCKERFILE_NOT_FOUND",
    hint: near === undefined ? "name it by its path in the context: -f path/to/Dockerfile" : `did you mean -f ${near}?`,
  });
}

function readInside(root: Root, path: string): Buffer | undefined {
  const resolved = resolveInRoot(root, path);
  const stat = statInRoot(root, resolved);
  const found = stat?.type === "file" ? parentInRoot(root, resolved) : undefined;
  if (stat === undefined || found === undefined) return undefined;
  if (stat.size > maxDockerfile) throw tooLarge(path);
  using dir = found.dir;
  const fd = dir.openFile(found.name, openFlags.read);
  try {
    const bytes = Buffer.alloc(stat.size);
    let size = 0;
    for (let got = readFd(fd, bytes); got > 0; got = readFd(fd, bytes.subarray(size))) size += got;
    return bytes.subarray(0, size);
  } finally {
    closeFd(fd);
  }
}
