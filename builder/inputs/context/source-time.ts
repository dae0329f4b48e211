import { TsbuildError } from "../../../native/errors.ts";
import type { GitOp, HttpOp } from "../../graph/opspec.ts";
import { httpDate } from "../../../registry/http/http-date.ts";
import { unpackInto } from "./file.ts";
import { newestFile } from "./newest.ts";
import type { ContextSources } from "./remote.ts";
import type { Workspace } from "./workspace.ts";

/** What brings a source here. */
export interface TimeSources extends Pick<ContextSources, "http" | "git" | "progress"> {
  readonly workspace: Workspace;
  readonly signal: AbortSignal;
}

/**
 * Seconds since the epoch: of a repository's commit, of a file as its server says, else of an archive's newest file. What
 * is fetched stays in the store for the steps that want it. `name`: what the step is called that asks.
 */
export async function sourceTime(
  source: HttpOp | GitOp,
  name: string,
  { http, git, progress, workspace, signal }: TimeSources,
): Promise<number | undefined> {
  if (source.kind === "git") return await git.commitTime(source, progress(name));
  const file = await http.fetch(source, progress(name));
  const modified = httpDate(file.lastModified);
  if (modified !== undefined) return Math.floor(modified / 1000);
  const directory = workspace.directory();
  return (await isUnpacked(http.path(file), directory, signal)) ? newestFile(directory) : undefined;
}

/** An archive that cannot be read has no time: whoever adds it will tell. */
async function isUnpacked(path: string, directory: string, signal: AbortSignal): Promise<boolean> {
  try {
    return await unpackInto(path, directory, signal);
  } catch (error) {
    if (error instanceof TsbuildError && /^E_(?:TAR|COMPRESSION)/.test(error.code)) return false;
    throw error;
  }
}
