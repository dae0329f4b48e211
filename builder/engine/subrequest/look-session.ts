import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { makeTemporaryDirectory, type TemporaryDirectory } from "../../../native/temporary-directory.ts";
import { openStore } from "../../../store/open.ts";
import type { Store } from "../../../store/store.ts";
import type { ProgressSink } from "../../graph/events.ts";
import type { ContextTable } from "../../inputs/context/named.ts";
import type { ContextSources } from "../../inputs/context/remote.ts";
import { Workspace } from "../../inputs/context/workspace.ts";
import type { BuildOptions } from "../../options/options.ts";
import { Definition, parseContext, type DefinitionSession } from "../definition.ts";
import { BuildSession } from "../session.ts";

/**
 * What looks at a build work with: a store of their own for what has to be fetched and not kept. Nothing is made before it
 * is asked for; dispose removes it all.
 */
export class LookSession implements DefinitionSession, AsyncDisposable {
  readonly workspace: Workspace;
  readonly emit: ProgressSink;
  readonly signal: AbortSignal;
  readonly #options: BuildOptions;
  readonly #stack = new AsyncDisposableStack();
  #directory: TemporaryDirectory | undefined;
  #store: Promise<Store> | undefined;
  #session: Promise<BuildSession> | undefined;

  constructor(options: BuildOptions) {
    const { onEvent: emit = () => undefined, signal = new AbortController().signal } = options;
    this.#options = options;
    this.emit = emit;
    this.signal = signal;
    this.workspace = new Workspace(() => this.#scratch());
  }

  /** Reads the Dockerfile of the context and its ignore file, and nothing else of it. @throws as Definition.open() */
  async definition(contexts: ContextTable): Promise<Definition> {
    const options = this.#options;
    return await Definition.open({ options, contexts, url: parseContext(options.context) }, this);
  }

  async store(): Promise<Store> {
    this.#store ??= this.#openStore();
    return await this.#store;
  }

  async sources(): Promise<ContextSources> {
    this.#session ??= this.#open();
    return (await this.#session).sources();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([this.#session, this.#store]);
    await this.#stack.disposeAsync();
  }

  /** A directory that only this user may enter. */
  #scratch(): string {
    if (this.#directory === undefined) {
      this.#directory = this.#stack.use(makeTemporaryDirectory("tsbuild-check"));
      this.#stack.use(this.workspace);
    }
    return this.#directory.path;
  }

  async #openStore(): Promise<Store> {
    const root = join(this.#scratch(), "store");
    mkdirSync(root, { mode: 0o700 });
    return this.#stack.use(await openStore({ root }));
  }

  async #open(): Promise<BuildSession> {
    return this.#stack.use(await BuildSession.over(await this.store(), this.#options, this));
  }
}
