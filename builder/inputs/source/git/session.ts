import { realpathSync } from "node:fs";
import { dirname } from "node:path";
import { Retries, wait } from "../../../../registry/http/retry.ts";
import type { Store } from "../../../../store/store.ts";
import { redactUrls } from "../../../base/redact-url.ts";
import type { RegistryOptions } from "../../../../registry/index.ts";
import type { Secrets } from "../../secrets/secrets.ts";
import { openSshAgent } from "../../ssh/agent-socket.ts";
import type { SshSource } from "../../ssh/agents.ts";
import type { SourceProgress } from "../progress.ts";
import type { UrlCredentials } from "../url-credentials.ts";
import { gitAuth, noAuth, submoduleAuth, type GitAuth } from "./auth.ts";
import { gitEnvironment, gitSettings, onlyRemote } from "./environment.ts";
import { mayPass } from "./errors.ts";
import { userKnownHosts } from "./known-hosts.ts";
import { runGit } from "./program.ts";
import { isCounter, receivedBytes } from "./receive-progress.ts";
import type { GitCommand } from "./repository.ts";

const maxTries = 3;
/** Milliseconds without a word of a server: it may have to count many objects first. */
const patience = 300_000;

/** What the git sources of a build work with. */
export interface GitSourceOptions {
  readonly store: Store;
  readonly registry: Pick<RegistryOptions, "env">;
  readonly secrets: Secrets;
  readonly credentials: UrlCredentials;
  readonly ssh: SshSource | undefined;
  /** git's own advice is shown. */
  readonly advice: boolean;
}

/** Where a git works. */
export interface GitPlace {
  /** undefined: in no repository. */
  readonly gitDir?: string;
  readonly workTree?: string;
}

/** Runs git for one remote, with who asks there, while it is held. */
export class GitSession implements AsyncDisposable {
  readonly #options: GitSourceOptions;
  readonly #progress: SourceProgress;
  readonly #env: Readonly<Record<string, string>>;
  readonly #remote: string;
  readonly #auth: GitAuth;
  readonly #held: AsyncDisposableStack;

  private constructor(init: {
    readonly options: GitSourceOptions;
    readonly progress: SourceProgress;
    readonly env: Readonly<Record<string, string>>;
    readonly remote: string;
    readonly auth: GitAuth;
    readonly held: AsyncDisposableStack;
  }) {
    this.#options = init.options;
    this.#progress = init.progress;
    this.#env = init.env;
    this.#remote = init.remote;
    this.#auth = init.auth;
    this.#held = init.held;
  }

  static async open(options: GitSourceOptions, remote: string, progress: SourceProgress): Promise<GitSession> {
    const { store, registry, secrets, credentials, ssh } = options;
    await using stack = new AsyncDisposableStack();
    const agent = ssh === undefined ? undefined : await openSshAgent(ssh, "default", store.scratch);
    if (agent !== undefined) stack.use(agent);
    const auth = stack.use(await gitAuth(remote, secrets, credentials));
    const knownHosts = [store.git.knownHosts, ...userKnownHosts(registry.env?.["HOME"])];
    const env = gitEnvironment(registry.env ?? {}, { agent: agent?.socketPath, knownHosts });
    return new GitSession({ options, progress, env, remote, auth, held: stack.move() });
  }

  /** git in a place. What is `online` knows who asks, and is tried again when it may help. */
  command(place: GitPlace): GitCommand {
    return this.#command(place, this.#auth, { reach: onlyRemote(this.#remote), patience });
  }

  /** As command(), for submodules, which may be anywhere. */
  submoduleCommand(place: GitPlace): GitCommand {
    // They are fetched without a word.
    return this.#command(place, submoduleAuth(this.#remote, this.#auth), { reach: {}, patience: undefined });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#held.disposeAsync();
  }

  #command(
    place: GitPlace,
    auth: GitAuth,
    limits: { readonly reach: Readonly<Record<string, string>>; readonly patience: number | undefined },
  ): GitCommand {
    return async (args, { online = false, env = {} } = {}) => {
      if (!online) return await this.#run(place, { args, env, auth: noAuth });
      const run = { args, env: { ...limits.reach, ...env }, auth, patience: limits.patience };
      const { signal } = this.#progress;
      const retries = new Retries();
      for (let attempt = 1; ; attempt++) {
        try {
          return await this.#run(place, run);
        } catch (error) {
          const delay = mayPass(error) && attempt < maxTries ? retries.next() : undefined;
          if (delay === undefined) throw error;
          await wait(delay, signal);
        }
      }
    };
  }

  async #run(
    { gitDir, workTree }: GitPlace,
    run: {
      readonly args: readonly string[];
      readonly env: Readonly<Record<string, string>>;
      readonly auth: GitAuth;
      readonly patience?: number | undefined;
    },
  ): Promise<Buffer> {
    const { auth } = run;
    const directory = realpathSync(workTree ?? gitDir ?? this.#options.store.scratch);
    return await runGit({
      directory,
      args: [
        ...gitSettings(this.#options.advice),
        ...auth.settings,
        ...(gitDir === undefined ? [] : [`--git-dir=${gitDir}`]),
        ...(workTree === undefined ? [] : [`--work-tree=${workTree}`]),
        ...run.args,
      ],
      // Without a repository of its own git would look for one further up.
      env: { ...this.#env, GIT_CEILING_DIRECTORIES: dirname(directory), ...auth.env, ...run.env },
      secret: auth.secret,
      patience: run.patience,
      signal: this.#progress.signal,
      onLine: (line) => this.#line(line),
    });
  }

  #line(line: string): void {
    const bytes = receivedBytes(line);
    if (bytes !== undefined) this.#progress.moved("receiving objects", bytes, /done\.?$/.test(line) ? bytes : 0);
    else if (!isCounter(line) && (this.#options.advice || line.startsWith("warning:")))
      this.#progress.said(this.#options.secrets.mask.text(redactUrls(line)));
  }
}
