import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GitFailure } from "./program.ts";

/** Commits that one repository of the store holds. */
const maxFetched = 300;

/** Runs git on a repository: the arguments after the settings, and whether it may speak to the remote. */
export type GitCommand = (
  args: readonly string[],
  options?: { readonly online?: boolean; readonly env?: Readonly<Record<string, string>> },
) => Promise<Buffer>;

/** What is to be in the repository. */
export interface Wanted {
  readonly remote: string;
  /** Of a commit or an annotated tag. */
  readonly object: string;
  /** Its name at the remote, where it has one. */
  readonly name: string | undefined;
}

/**
 * Makes the files of an empty repository. By hand: it takes no program, and nothing of the machine's templates comes in.
 * `alternates`: directory of objects that it can read too.
 */
export function makeRepository(
  directory: string,
  options: { readonly bare: boolean; readonly object: string; readonly remote?: string; readonly alternates?: string },
): void {
  const { bare, object, remote, alternates } = options;
  for (const name of ["objects/info", "objects/pack", "refs/heads", "refs/tags"])
    mkdirSync(join(directory, name), { recursive: true, mode: 0o755 });
  const sha256 = object.length === 64;
  const config = [
    "[core]",
    `\trepositoryformatversion = ${sha256 ? 1 : 0}`,
    "\tfilemode = true",
    `\tbare = ${bare}`,
    ...(sha256 ? ["[extensions]", "\tobjectformat = sha256"] : []),
    ...(remote === undefined
      ? []
      : [
          '[remote "origin"]',
          `\turl = "${remote.replaceAll(/["\\]/g, "\\$&")}"`,
          "\tfetch = +refs/heads/*:refs/remotes/origin/*",
        ]),
  ];
  writeFileSync(join(directory, "config"), `${config.join("\n")}\n`);
  if (alternates !== undefined) writeFileSync(join(directory, "objects/info/alternates"), `${alternates}\n`);
  writeFileSync(join(directory, "HEAD"), "ref: refs/heads/master\n");
}

/** Whether the repository has an object with all that it needs. */
export async function hasObject(git: GitCommand, object: string): Promise<boolean> {
  return await git(["cat-file", "-e", `${object}^{tree}`]).then(
    () => true,
    (error: unknown) => {
      if (error instanceof GitFailure) return false;
      throw error;
    },
  );
}

/**
 * Brings an object with its files, without its history, into a bare repository that nobody else writes; `directory` is
 * made when it is missing and made anew when it is damaged. @throws GitFailure
 */
export async function fetchObject(git: GitCommand, directory: string, wanted: Wanted): Promise<void> {
  removeLocks(directory);
  // What was fetched stays in small packs, which nobody puts together: now and then it begins anew.
  const fetched = join(directory, "refs/tsbuild");
  if (existsSync(fetched) && readdirSync(fetched).length > maxFetched)
    rmSync(directory, { recursive: true, force: true });
  if (!existsSync(join(directory, "HEAD"))) makeRepository(directory, { bare: true, object: wanted.object });
  try {
    await fetchAnyhow(git, directory, wanted);
  } catch (error) {
    if (
      !(error instanceof GitFailure) ||
      !/corrupt|bad object|unable to update local ref|cannot lock ref|broken/i.test(error.text)
    )
      throw error;
    rmSync(directory, { recursive: true, force: true });
    makeRepository(directory, { bare: true, object: wanted.object });
    await fetchAnyhow(git, directory, wanted);
  }
}

/** Files that a git that was killed left behind: who holds the repository knows that nobody else does. */
function removeLocks(directory: string): void {
  if (!existsSync(directory)) return;
  for (const name of readdirSync(directory, { recursive: true, encoding: "utf8" }))
    if (name.endsWith(".lock")) rmSync(join(directory, name), { force: true });
}

/** By its hash if the server gives that out, else by its name, else with all of the history. */
async function fetchAnyhow(git: GitCommand, directory: string, { remote, object, name }: Wanted): Promise<void> {
  const kept = `refs/tsbuild/${object}`;
  const ways: readonly (readonly string[])[] = [
    ["--depth=1", "--no-tags", "--", remote, `+${object}:${kept}`],
    ...(name === undefined ? [] : [["--depth=1", "--no-tags", "--", remote, `+${name}:refs/tsbuild/named`]]),
    // Servers that know nothing of depths.
    ...(name === undefined ? [] : [["--no-tags", "--", remote, `+${name}:refs/tsbuild/named`]]),
    ["--tags", "--prune", "--", remote, "+refs/heads/*:refs/tsbuild/heads/*"],
  ];
  let last: GitFailure | undefined;
  for (const way of ways) {
    const shallow = !way.includes("--depth=1") && existsSync(join(directory, "shallow")) ? ["--unshallow"] : [];
    try {
      await git(["fetch", "--progress", "--no-write-fetch-head", "--force", ...shallow, ...way], { online: true });
    } catch (error) {
      if (!(error instanceof GitFailure) || !isRefusal(error)) throw error;
      last ??= error;
      continue;
    }
    last = undefined;
    if (await hasObject(git, object)) {
      // A name keeps it, and lets the next fetch be a short one.
      if (way !== ways[0]) await git(["update-ref", "--no-deref", kept, object]);
      return;
    }
  }
  throw last ?? new GitFailure(`fatal: remote does not have the commit ${object}`);
}

/** What the server does not do, and may do in another way. */
function isRefusal({ text }: GitFailure): boolean {
  return /not our ref|unadvertised object|shallow|--depth|couldn't find remote ref|dumb http|no such ref/i.test(text);
}
