import { onGroupMade } from "../../runtime/index.ts";
import type { RegistryOptions } from "../../registry/index.ts";
import { digestOf } from "../../store/oci/digest.ts";
import { openStore } from "../../store/open.ts";
import type { Store } from "../../store/store.ts";
import type { GitFlags } from "../graph/git-vertex.ts";
import type { ProgressSink } from "../graph/events.ts";
import type { ContextSources } from "../inputs/context/remote.ts";
import { Workspace } from "../inputs/context/workspace.ts";
import { Secrets } from "../inputs/secrets/secrets.ts";
import { GitSource } from "../inputs/source/git/source.ts";
import { HttpSource } from "../inputs/source/http/source.ts";
import { ImageSource } from "../inputs/source/image/images.ts";
import { sourceProgress, type SourceProgress } from "../inputs/source/progress.ts";
import { UrlCredentials } from "../inputs/source/url-credentials.ts";
import type { SshSource } from "../inputs/ssh/agents.ts";
import { openAgents } from "../inputs/ssh/open-agents.ts";
import { givenAdvice, givenGitFlags } from "../options/builtin-args.ts";
import type { BuildOptions } from "../options/options.ts";
import { WorkerPool } from "../solve/worker/pool.ts";

/** Who is told of what a session does, and what ends it. */
export interface SessionEnds {
  readonly emit: ProgressSink;
  readonly signal: AbortSignal;
}

/** The options that say what a session may use. */
type SessionOptions = Pick<
  BuildOptions,
  "root" | "registry" | "pull" | "squashOwners" | "secrets" | "ssh" | "buildArgs" | "sourceDateEpoch"
>;

/**
 * What one build works with. Dispose, however the build ended, releases all of it, what was opened last first: nothing is
 * left of it then but what the store keeps.
 */
export class BuildSession implements AsyncDisposable {
  readonly store: Store;
  readonly registry: RegistryOptions;
  readonly workers: WorkerPool;
  readonly images: ImageSource;
  readonly secrets: Secrets;
  readonly ssh: SshSource | undefined;
  /** Of URLs that had a user in them. */
  readonly credentials: UrlCredentials;
  readonly http: HttpSource;
  readonly git: GitSource;
  readonly workspace: Workspace;
  readonly emit: ProgressSink;
  readonly signal: AbortSignal;
  readonly #gitFlags: GitFlags;
  readonly #stack: AsyncDisposableStack;

  /** In the store of the options. @throws E_SSH_AGENT, E_SSH_KEY, E_STORE_OPEN, E_STORE_VERSION, E_BUILD_ARG */
  static async open(options: SessionOptions, ends: SessionEnds): Promise<BuildSession> {
    const ssh = await openAgents(options.ssh);
    await using stack = new AsyncDisposableStack();
    const store = stack.use(await openStore({ root: options.root }));
    stack.use(onGroupMade((path) => store.noteOutside(path)));
    return new BuildSession(options, { ...ends, store, ssh, stack });
  }

  /** In a store that is another's and outlives it. @throws E_SSH_AGENT, E_SSH_KEY, E_BUILD_ARG */
  static async over(store: Store, options: SessionOptions, ends: SessionEnds): Promise<BuildSession> {
    const ssh = await openAgents(options.ssh);
    await using stack = new AsyncDisposableStack();
    return new BuildSession(options, { ...ends, store, ssh, stack });
  }

  private constructor(
    options: SessionOptions,
    {
      store,
      ssh,
      stack,
      emit,
      signal,
    }: SessionEnds & {
      readonly store: Store;
      readonly ssh: SshSource | undefined;
      readonly stack: AsyncDisposableStack;
    },
  ) {
    const { registry = {}, pull: policy = "missing", squashOwners } = options;
    const secrets = new Secrets(options.secrets ?? {});
    const credentials = new UrlCredentials(secrets.mask);
    const workers = stack.use(new WorkerPool());
    this.images = stack.use(new ImageSource({ store, policy, registry, workers, signal, squashOwners }));
    this.http = stack.use(new HttpSource({ store, registry, secrets, credentials }));
    const advice = givenAdvice(options);
    this.git = stack.use(new GitSource({ store, registry, secrets, credentials, ssh, advice }));
    this.workspace = stack.use(new Workspace(() => store.scratch));
    this.#gitFlags = givenGitFlags(options);
    this.store = store;
    this.registry = registry;
    this.workers = workers;
    this.secrets = secrets;
    this.ssh = ssh;
    this.credentials = credentials;
    this.emit = emit;
    this.signal = signal;
    // The last: what was opened before something failed is the caller's to release.
    this.#stack = stack.move();
  }

  /** What brings contexts and Dockerfiles that are URLs. */
  sources(): ContextSources {
    const { http, git, credentials } = this;
    return { http, git, credentials, gitFlags: this.#gitFlags, progress: (name) => this.progress(name) };
  }

  /** Tells of a step of this name. */
  progress(name: string): SourceProgress {
    return sourceProgress(this.emit, { digest: digestOf(name), name }, this.signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
