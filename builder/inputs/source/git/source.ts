import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { makeShownDirectory } from "../../../../native/directory.ts";
import { TsbuildError } from "../../../../native/errors.ts";
import { isCommit } from "../../../base/git-options.ts";
import type { GitOp } from "../../../graph/opspec.ts";
import { suggest } from "../../../base/suggest.ts";
import type { SourceProgress } from "../progress.ts";
import { checkOut, subdirectory } from "./checkout.ts";
import { gitError } from "./errors.ts";
import { lsRemoteArguments, pickRef, spokenRef, type RemoteRef } from "./refs.ts";
import { fetchObject, hasObject, type GitCommand } from "./repository.ts";
import { GitSession, type GitSourceOptions } from "./session.ts";

/** What is fetched. */
export type GitSpec = Omit<GitOp, "kind">;

/** What a spec means now. */
export interface GitIdentity {
  /** Of a commit or an annotated tag. */
  readonly object: string;
  /** Of the commit, as far as it is known without fetching. */
  readonly commit: string;
  /** `refs/heads/main`; undefined: it was asked for by its hash. */
  readonly name: string | undefined;
}

/**
 * Files of git repositories. What was fetched stays in the store, one repository for each remote: a ref costs one question
 * to the server, a commit that is there none, and files that were checked out are there again. A ref is asked for once in
 * a build. One for a build.
 */
export class GitSource implements Disposable {
  readonly #options: GitSourceOptions;
  readonly #asked = new Map<string, Promise<RemoteRef>>();
  readonly #brought = new Map<string, Promise<Brought>>();
  readonly #held = new DisposableStack();

  constructor(options: GitSourceOptions) {
    this.#options = options;
  }

  /** The commit that the spec means. @throws E_GIT_* */
  async identify(spec: GitSpec, progress: SourceProgress): Promise<GitIdentity> {
    const { ref, checksum, fetchByCommit } = spec;
    if (fetchByCommit === true && checksum !== undefined)
      return { object: checksum, commit: checksum, name: qualified(ref) };
    const hash = ref ?? checksum;
    if (hash !== undefined && isCommit(hash)) {
      if (checksum !== undefined && !hash.startsWith(checksum)) throw wrongCommit(spec, { object: hash, commit: hash });
      return { object: hash, commit: hash, name: undefined };
    }
    const found = await this.#ask(spec, progress);
    if (checksum === undefined || found.object.startsWith(checksum) || found.commit.startsWith(checksum)) return found;
    throw wrongCommit(spec, found);
  }

  /** Seconds since the epoch of the commit, which is fetched for it. @throws E_GIT_* */
  async commitTime(spec: GitSpec, progress: SourceProgress): Promise<number> {
    const { object } = await this.identify(spec, progress);
    const { time } = await this.#bring(spec, object, progress);
    return time;
  }

  /** The directory with the files that the spec means, until this is disposed; only for reading. @throws E_GIT_* */
  async checkOut(spec: GitSpec, progress: SourceProgress): Promise<string> {
    const { object, name } = await this.identify(spec, progress);
    const { remote, subdir, skipSubmodules, commitTime } = spec;
    const { commit, time } = await this.#bring(spec, object, progress);
    const what = {
      commit,
      // As with BuildKit: the repository of a part would not be that of the files.
      ...(spec.keepGitDir === true && subdir === undefined ? { keepGitDir: true, object, name } : {}),
      submodules: skipSubmodules !== true,
      time: commitTime === true ? time : undefined,
    };
    using repository = await this.#options.store.git.take(remote, progress.signal);
    const held = await repository.checkout(JSON.stringify(what), async (parent) => {
      const files = join(parent, "files");
      const scratch = join(parent, "scratch");
      for (const directory of [files, scratch]) makeShownDirectory(directory);
      await this.#session(spec, progress, async (session) => {
        // Another fetch may have begun the repository anew.
        const git = session.command({ gitDir: repository.directory });
        await this.#ensure(git, { spec, object, repository: repository.directory, progress });
        const wanted = { keepGitDir: false, object, name, ...what, remote, repository: repository.directory };
        await checkOut(
          { ...wanted, files, scratch },
          {
            git: (gitDir, workTree) => session.command({ gitDir, workTree }),
            submodules: (gitDir, workTree) => session.submoduleCommand({ gitDir, workTree }),
          },
        );
      });
      rmSync(scratch, { recursive: true, force: true });
    });
    this.#held.use(held);
    const files = join(held.directory, "files");
    return subdir === undefined ? files : subdirectory(files, subdir, remote);
  }

  [Symbol.dispose](): void {
    this.#held.dispose();
  }

  #ask(spec: GitSpec, progress: SourceProgress): Promise<RemoteRef> {
    const key = JSON.stringify([spec.remote, spec.ref]);
    const asked = this.#asked.get(key) ?? this.#lookUp(spec, progress);
    this.#asked.set(key, asked);
    return asked;
  }

  async #lookUp(spec: GitSpec, progress: SourceProgress): Promise<RemoteRef> {
    const { remote, ref } = spec;
    const ask = async (session: GitSession): Promise<RemoteRef> => {
      const git = session.command({});
      const output = await git(lsRemoteArguments(remote, ref), { online: true });
      const found = pickRef(output.toString("utf8"), ref);
      if (found !== undefined) return found;
      const every = ["ls-remote", "--heads", "--tags", "--", remote];
      const all = ref === undefined ? "" : (await git(every, { online: true })).toString("utf8");
      throw missingRef(remote, ref, all);
    };
    return await progress.during(
      async () => await this.#session(spec, progress, ask),
      () => false,
    );
  }

  /** Has the object in the store's repository of the remote; fetched at most once in a build. */
  #bring(spec: GitSpec, object: string, progress: SourceProgress): Promise<Brought> {
    const key = JSON.stringify([spec.remote, object]);
    const brought =
      this.#brought.get(key) ??
      progress.during(
        async () => await this.#fetch(spec, object, progress),
        ({ fetched }) => !fetched,
      );
    this.#brought.set(key, brought);
    return brought;
  }

  async #fetch(spec: GitSpec, object: string, progress: SourceProgress): Promise<Brought> {
    const { remote } = spec;
    using held = await this.#options.store.git.take(remote, progress.signal);
    const { directory: repository } = held;
    return await this.#session(spec, progress, async (session) => {
      const git = session.command({ gitDir: repository });
      const fetched = await this.#ensure(git, { spec, object, repository, progress });
      const [time = "", commit = ""] = (await git(["rev-list", "-n1", "--timestamp", object]))
        .toString()
        .trim()
        .split(" ");
      return { commit, time: Number(time), fetched };
    });
  }

  /** Has the object in a repository that is held. Returns whether it had to be fetched. */
  async #ensure(
    git: GitCommand,
    at: {
      readonly spec: GitSpec;
      readonly object: string;
      readonly repository: string;
      readonly progress: SourceProgress;
    },
  ): Promise<boolean> {
    const { spec, object, repository, progress } = at;
    if (existsSync(repository) && (await hasObject(git, object))) return false;
    const { name } = await this.identify(spec, progress);
    await fetchObject(git, repository, { remote: spec.remote, object, name });
    return true;
  }

  async #session<T>(spec: GitSpec, progress: SourceProgress, act: (session: GitSession) => Promise<T>): Promise<T> {
    const { remote, ref } = spec;
    await using session = await GitSession.open(this.#options, remote, progress);
    try {
      return await act(session);
    } catch (error) {
      throw gitError(`fetch ${remote}${ref === undefined ? "" : `#${ref}`}`, error, this.#options.secrets.mask);
    }
  }
}

/** A commit that is in a repository of the store. */
interface Brought {
  readonly commit: string;
  /** Seconds since the epoch. */
  readonly time: number;
  readonly fetched: boolean;
}

/** As BuildKit: without more a branch is meant. */
function qualified(ref: string | undefined): string | undefined {
  return ref === undefined || isCommit(ref) || ref.startsWith("refs/") ? ref : `refs/heads/${ref}`;
}

function wrongCommit(
  spec: GitSpec,
  found: { readonly object: string; readonly commit: string; readonly name?: string },
): TsbuildError {
  const { remote, checksum = "" } = spec;
  const { object, commit, name } = found;
  const what = name === undefined ? "it" : spokenRef(name);
  const both = object === commit ? commit : `${commit} (tag ${object})`;
  return new TsbuildError(`Cannot use ${remote}: ${what} is not at the commit that the checksum says`, {
    code: "E_GIT_CHECKSUM",
    notes: [`expected ${checksum}`, `received ${both}`],
    hint: `if the new commit is meant, write --checksum=${commit}, or ?checksum=${commit} in the URL`,
  });
}

function missingRef(remote: string, ref: string | undefined, all: string): TsbuildError {
  if (ref === undefined) {
    return new TsbuildError(`Cannot use ${remote}: it has no commit yet`, {
      code: "E_GIT_REF",
      hint: "push a branch, or name one: #branch",
    });
  }
  const names = all
    .split("\n")
    .map((line) => (line.split("\t")[1] ?? "").replace(/^refs\/(?:heads|tags)\/|\^\{\}$/g, ""));
  const near = suggest(
    ref,
    [...new Set(names)].filter((name) => name !== ""),
  );
  const short = /^[0-9a-f]{4,39}$/i.test(ref);
  return new TsbuildError(`Cannot find ${spokenRef(ref)} in ${remote}`, {
    code: "E_GIT_REF",
    hint: short
      ? `a commit is written with all of its 40 digits; ?branch=NAME&checksum=${ref} takes a branch that is at it`
      : near === undefined
        ? "give a branch, a tag, or a commit with all of its 40 digits"
        : `did you mean ${near}?`,
  });
}
