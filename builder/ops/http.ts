import { copyBytes } from "../../native/copy-bytes.ts";
import { setFileMetadata } from "../../native/file.ts";
import { openFlags, Root } from "../../native/path.ts";
import { closeFd } from "../../native/syscall.ts";
import { digestOf } from "../../store/oci/digest.ts";
import type { FetchedFile } from "../../store/fetched.ts";
import type { FetchedTrees } from "../inputs/context/fetched-trees.ts";
import { unpackInto } from "../inputs/context/file.ts";
import type { HttpOp } from "../graph/opspec.ts";
import type { Op } from "../solve/op.ts";
import { modifiedTime, type HttpSource } from "../inputs/source/http/source.ts";
import { progressOf } from "./source-progress.ts";

/** A URL: its content names it. It is asked for when keys are computed; what it gave is then in the store. */
export function httpOp(op: HttpOp, source: HttpSource, trees: FetchedTrees): Op {
  return {
    recorded: false,
    silent: true,
    async key(vertex, _inputs, context) {
      const content = await source.identify(op, progressOf(vertex, context));
      return {
        key: digestOf(JSON.stringify(["http", op.name, op.tree ?? false, content])),
        inputs: () => ({ url: `${op.url} ${content}` }),
      };
    },
    async exec(vertex, _inputs, context) {
      const file = await source.fetch(op, progressOf(vertex, context));
      if (op.tree === true) {
        await trees.make(vertex.digest, op.url, async (workspace) => {
          const directory = workspace.directory();
          if (!(await unpackInto(source.path(file), directory, context.signal)))
            placeFile(source, file, { directory, name: op.name });
          return directory;
        });
      }
      return { snapshot: undefined, identity: Promise.resolve(undefined) };
    },
  };
}

/** As BuildKit: 0600, changed when the server says so. */
function placeFile(
  source: HttpSource,
  file: FetchedFile,
  { directory, name }: { readonly directory: string; readonly name: string },
): void {
  using root = Root.open(directory);
  const from = source.open(file);
  try {
    const to = root.openFile(name, openFlags.createNew, 0o600);
    try {
      copyBytes(from, to, file.size);
      setFileMetadata(to, { uid: 0, gid: 0, mode: 0o600, mtime: modifiedTime(file) });
    } finally {
      closeFd(to);
    }
  } finally {
    closeFd(from);
  }
}
