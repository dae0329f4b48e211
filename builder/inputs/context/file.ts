import { closeSync, openSync, readFileSync, statSync } from "node:fs";
import { TsbuildError } from "../../../native/errors.ts";
import { Root } from "../../../native/path.ts";
import { archiveKind, extractArchive } from "../files/archive.ts";
import { maxDockerfile } from "../../dockerfile/max-size.ts";
import { tooLarge } from "./too-large.ts";

/** Unpacks a tar archive into the directory, not outside of it; false when the file is none. */
export async function unpackInto(path: string, directory: string, signal: AbortSignal): Promise<boolean> {
  const fd = openSync(path, "r");
  try {
    const compression = await archiveKind(fd);
    if (compression === undefined) return false;
    using root = Root.open(directory);
    await extractArchive({ fd, compression, root, owner: ownOwner(), signal });
    return true;
  } finally {
    closeSync(fd);
  }
}

/** The text of a Dockerfile that may be anything. @throws E_DOCKERFILE_SIZE, E_CONTEXT_STDIN */
export function readDockerfile(path: string, name: string): Buffer {
  if (statSync(path).size > maxDockerfile) throw tooLarge(name);
  const bytes = readFileSync(path);
  if (!bytes.includes(0)) return bytes;
  throw new TsbuildError(`Cannot read ${name}: it is neither text nor an archive`, {
    code: "E_CONTEXT_STDIN",
    hint: "a context is a tar archive, plain or compressed by gzip, bzip2, xz or zstd",
  });
}

/** The text of a Dockerfile that a URL gave. @throws as readDockerfile(), and E_CONTEXT for a web page */
export function readFetched(path: string, url: string, hint: string): Buffer {
  const bytes = readDockerfile(path, url);
  if (!/^\s*<(?:!doctype|html|\?xml)\b/i.test(bytes.toString("latin1", 0, 1000))) return bytes;
  throw new TsbuildError(`Cannot use ${url}: it gave a web page`, { code: "E_CONTEXT", hint });
}

/** A plain user's files are that user's: only a Dockerfile is looked for then. */
function ownOwner(): { readonly uid: number; readonly gid: number } | undefined {
  const [uid, gid] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0];
  return uid === 0 ? undefined : { uid, gid };
}
