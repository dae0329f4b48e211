import type { GitUrl } from "../base/git-url.ts";
import type { SourceLocation } from "../base/location.ts";
import type { GitOp } from "./opspec.ts";
import { makeVertex, type Vertex } from "./vertex.ts";

/** What is said of a repository beside its URL. */
export interface GitFlags {
  readonly checksum?: string | undefined;
  readonly keepGitDir?: boolean | undefined;
  /** Files are as old as the commit, if the URL says nothing else. */
  readonly commitTime?: boolean;
}

/** What a git URL and flags say, as an op has it. */
export function gitSpec(url: GitUrl, flags: GitFlags = {}): Omit<GitOp, "kind"> {
  const { remote, ref, subdir, submodules, mtime, fetchByCommit } = url;
  const checksum = flags.checksum ?? url.checksum;
  const keepGitDir = flags.keepGitDir === true || url.keepGitDir === true;
  const commitTime = mtime === undefined ? flags.commitTime === true : mtime === "commit";
  return {
    remote,
    ...(ref === undefined ? {} : { ref }),
    ...(subdir === undefined ? {} : { subdir }),
    ...(checksum === undefined ? {} : { checksum }),
    ...(fetchByCommit === true ? { fetchByCommit } : {}),
    ...(keepGitDir ? { keepGitDir } : {}),
    ...(submodules === false ? { skipSubmodules: true } : {}),
    ...(commitTime ? { commitTime } : {}),
  };
}

/** The repository, and what of it is meant, for people. */
export function shownGit({ remote, ref = "", subdir }: Pick<GitOp, "remote" | "ref" | "subdir">): string {
  return ref === "" && subdir === undefined ? remote : `${remote}#${ref}${subdir === undefined ? "" : `:${subdir}`}`;
}

/** Files of a repository. What is known of them from build to build goes by the URL, wherever it is used. */
export function gitVertex(spec: Omit<GitOp, "kind">, location: SourceLocation, prefix: string = "[internal]"): Vertex {
  return makeVertex({
    op: { kind: "git", ...spec },
    inputs: [],
    name: `${prefix} load git source ${shownGit(spec)}`,
    slot: `source/${shownGit(spec)}`,
    location,
  });
}
