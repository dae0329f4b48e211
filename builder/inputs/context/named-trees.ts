import { TsbuildError } from "../../../native/errors.ts";
import { openContextDirectory } from "./dockerfile.ts";
import { unpackInto } from "./file.ts";
import { namedIgnore } from "./ignore-file.ts";
import { inArchive } from "./local.ts";
import type { ContextTable, NamedContext } from "./named.ts";
import { spoolInput, type Spooling } from "./spool.ts";
import type { ContextDirectory } from "./trees.ts";

/** The named contexts that are there before any step: directories, and an archive on standard input. */
export async function openNamedTrees(
  contexts: ContextTable,
  input: Spooling,
): Promise<ReadonlyMap<string, ContextDirectory>> {
  const trees = new Map<string, ContextDirectory>();
  for (const [name, context] of contexts) {
    const tree = await openNamedTree(name, context, input);
    if (tree !== undefined) trees.set(name, tree);
  }
  return trees;
}

/** @throws E_CONTEXT, E_CONTEXT_STDIN, E_TAR_*, E_COMPRESSION */
async function openNamedTree(
  name: string,
  context: NamedContext,
  input: Spooling,
): Promise<ContextDirectory | undefined> {
  if (context.kind === "directory") {
    const directory = openContextDirectory(context.path, name);
    return { directory, ignore: namedIgnore(directory) };
  }
  if (context.kind !== "stdin") return undefined;
  const directory = input.workspace.directory();
  if (await unpackInto(await spoolInput(input), directory, input.signal))
    return { directory, ignore: undefined, keepOwners: true, temporary: true, whereToLook: inArchive };
  throw new TsbuildError(`Cannot use standard input as the build context ${name}: it is no archive`, {
    code: "E_CONTEXT_STDIN",
    hint: `tar -c DIR | tsbuild --build-context ${name}=- .`,
  });
}
