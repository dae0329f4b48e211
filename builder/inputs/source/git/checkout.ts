import { readlinkSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { SyscallError, TsbuildError } from "../../../../native/errors.ts";
import { Root } from "../../../../native/path.ts";
import { walkBelow } from "../../../../native/walk.ts";
import { makeRepository, type GitCommand } from "./repository.ts";

/** What is checked out, and where. */
export interface Checkout {
  readonly remote: string;
  /** Of a commit or an annotated tag, and of the commit. */
  readonly object: string;
  readonly commit: string;
  /** `refs/heads/main`; undefined: it was asked for by its hash. */
  readonly name: string | undefined;
  /** The shared repository, which has the object. */
  readonly repository: string;
  /** An empty directory for the files, and one for what is thrown away. */
  readonly files: string;
  readonly scratch: string;
  readonly keepGitDir: boolean;
  readonly submodules: boolean;
  /** Seconds since the epoch: the time of every file; undefined: as they come. */
  readonly time: number | undefined;
}

/** How git is run on a repository and a directory of files. */
export interface CheckoutPrograms {
  readonly git: (gitDir: string, workTree: string) => GitCommand;
  /** As git, with who asks for submodules. */
  readonly submodules: (gitDir: string, workTree: string) => GitCommand;
}

/**
 * Writes the files of a commit with its submodules, all of them root's, 0644 or 0755. With `keepGitDir` the repository
 * is there too, without history, its HEAD at the commit. @throws GitFailure
 */
export async function checkOut(wanted: Checkout, programs: CheckoutPrograms): Promise<void> {
  const { files, scratch, keepGitDir } = wanted;
  const gitDir = join(keepGitDir ? files : scratch, ".git");
  const git = programs.git(gitDir, files);
  await prepare(wanted, gitDir, git);
  await git(["read-tree", "--reset", "-u", wanted.commit]);
  const withSubmodules = wanted.submodules && hasSubmodules(files);
  if (withSubmodules) {
    const update = ["submodule", "--quiet", "update", "--init", "--recursive"];
    const submodules = programs.submodules(gitDir, files);
    // Not every server gives out single commits without history.
    await submodules([...update, "--depth=1"], { online: true }).catch(
      async () => await submodules(update, { online: true }),
    );
  }
  // Without what the file system says of the files: the same commit is the same index.
  if (keepGitDir) await git(["read-tree", wanted.commit]);
  if (keepGitDir && withSubmodules) {
    const again = ["submodule", "--quiet", "foreach", "--quiet", "--recursive", "git read-tree HEAD"];
    await programs.submodules(gitDir, files)(again);
  }
  tidy(files, { keepGitDir, time: wanted.time });
}

async function prepare(wanted: Checkout, gitDir: string, git: GitCommand): Promise<void> {
  const { remote, object, commit, name, repository, keepGitDir } = wanted;
  const made = { bare: false, object, remote };
  if (!keepGitDir) {
    makeRepository(gitDir, { ...made, alternates: join(repository, "objects") });
    return;
  }
  makeRepository(gitDir, made);
  const tag = name?.startsWith("refs/tags/") === true || name?.startsWith("refs/heads/") === true ? [name] : [];
  const refs = tag.map((one) => `+${object}:${one}`);
  // The branch of the new repository's HEAD may be the one that is fetched: no file is checked out yet.
  const quiet = ["-q", "--depth=1", "--no-tags", "--no-write-fetch-head", "--update-head-ok"];
  await git(["fetch", ...quiet, "--", repository, object, ...refs], {
    // From our own store alone, as a server would give it, so that it stands for itself.
    env: { GIT_ALLOW_PROTOCOL: "file" },
  });
  await git(["update-ref", "--no-deref", "HEAD", commit]);
}

function hasSubmodules(files: string): boolean {
  using root = Root.open(files);
  return root.stat(".gitmodules")?.type === "file";
}

/** Nothing of the caller's umask, of git's own files (no repository has a file called .git) and, if asked, of the clock. */
function tidy(directory: string, options: { readonly keepGitDir: boolean; readonly time: number | undefined }): void {
  using root = Root.open(directory);
  const { keepGitDir, time } = options;
  if (!keepGitDir) removeGitDirs(root);
  for (const { dir, name, stat } of walkBelow(root)) {
    const mode = openTo(stat.mode);
    if (stat.type !== "symlink" && stat.mode !== mode) dir.chmod(name, mode);
    if (time !== undefined) dir.utimens(name, BigInt(time) * 1_000_000_000n);
  }
  if (time !== undefined) root.utimens(".", BigInt(time) * 1_000_000_000n);
}

function removeGitDirs(root: Root): void {
  for (const { dir, name } of walkBelow(root)) if (name === ".git") dir.removeTree(name);
}

/** What the owner may read and execute, all may. */
function openTo(mode: number): number {
  const owner = mode & 0o500;
  return (mode & 0o700) | (owner >> 3) | (owner >> 6);
}

/**
 * The directory of the host that a path inside the files leads to; a symlink may lead to it, but not out.
 * @throws E_GIT_SUBDIR
 */
export function subdirectory(files: string, subdir: string, remote: string): string {
  using root = Root.open(files);
  try {
    using dir = root.beneath(subdir);
    const real = readlinkSync(`/proc/self/fd/${dir.fd}`);
    if (!`${real}/`.startsWith(`${realpathSync(files)}/`)) throw new SyscallError("open", "EXDEV", subdir);
    return real;
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    const outside = error.errno === "EXDEV" || error.errno === "ELOOP";
    const why = outside ? "it leads out of it" : error.errno === "ENOENT" ? "it is not there" : "it is no directory";
    throw new TsbuildError(`Cannot use ${subdir} of ${remote}: ${why}`, { code: "E_GIT_SUBDIR", cause: error });
  }
}
