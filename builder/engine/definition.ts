import type { DockerfileAst } from "../dockerfile/ast.ts";
import { parseDockerfile, type ParseObserver } from "../dockerfile/parse.ts";
import type { ProgressSink } from "../graph/events.ts";
import { definitionStep, internalStep } from "../graph/internal-step.ts";
import { openContextDirectory, type FoundDockerfile } from "../inputs/context/dockerfile.ts";
import { openMainContext, type MainContext } from "../inputs/context/main.ts";
import type { ContextTable } from "../inputs/context/named.ts";
import { fetchContext, fetchDockerfile, isRemoteDockerfile, type ContextSources } from "../inputs/context/remote.ts";
import { parseContextUrl, type ContextUrl } from "../inputs/context/url.ts";
import type { Workspace } from "../inputs/context/workspace.ts";
import { Linter, type LinterOptions } from "../lint/linter.ts";
import { chosenRules } from "../lint/own.ts";
import { givenChecks, givenSyntax } from "../options/builtin-args.ts";
import type { BuildOptions } from "../options/options.ts";

/** The options that say what is read, and how. */
export type DefinitionOptions = Pick<
  BuildOptions,
  "context" | "dockerfile" | "stdin" | "target" | "buildArgs" | "ownChecks"
>;

/** What is to be read. */
export interface DefinitionRequest {
  readonly options: DefinitionOptions;
  /** Where the context comes from: parseContext() of it. */
  readonly url: ContextUrl | undefined;
  readonly contexts: ContextTable;
}

/** What reading it takes. */
export interface DefinitionSession {
  readonly workspace: Workspace;
  readonly emit: ProgressSink;
  readonly signal: AbortSignal;
  /** What fetches; asked for when something is a URL. */
  sources(): ContextSources | Promise<ContextSources>;
}

/** The URL of a context; undefined: it is standard input, or a directory, which is there. @throws E_CONTEXT, E_URL_INVALID */
export function parseContext(context: string): ContextUrl | undefined {
  if (context === "-") return undefined;
  const url = parseContextUrl(context);
  if (url === undefined) openContextDirectory(context);
  return url;
}

/** What a build is given to read: its contexts and the Dockerfile, of which nothing is understood yet. */
export class Definition {
  readonly main: MainContext;
  readonly contexts: ContextTable;
  readonly file: FoundDockerfile;
  /** Of the Dockerfile. */
  readonly text: string;
  readonly #options: DefinitionOptions;

  /** Finds the Dockerfile, fetched where it or its context is a URL. @throws as openMainContext() */
  static async open(request: DefinitionRequest, session: DefinitionSession): Promise<Definition> {
    const { url, contexts, options } = request;
    const { context, dockerfile, stdin } = options;
    const { workspace, emit, signal } = session;
    const remote = url === undefined ? undefined : await fetchContext(url, await session.sources());
    const remoteDockerfile = isRemoteDockerfile(dockerfile)
      ? await fetchDockerfile(dockerfile, await session.sources())
      : undefined;
    const main = await internalStep(emit, definitionStep.name, () =>
      openMainContext({ context, dockerfile, stdin, remote, remoteDockerfile, workspace, signal }),
    );
    return new Definition(main, contexts, options);
  }

  private constructor(main: MainContext, contexts: ContextTable, options: DefinitionOptions) {
    this.main = main;
    this.contexts = contexts;
    this.file = main.file;
    this.text = main.file.bytes.toString("utf8");
    this.#options = options;
  }

  /** The checks for it. `usual`: tsbuild's own that are made when nothing is said of them. @throws E_BUILD_ARG */
  async linter(usual: "all" | "few", known: Pick<LinterOptions, "unknownBases" | "locate"> = {}): Promise<Linter> {
    const { ownChecks, target } = this.#options;
    return new Linter({
      source: this.text,
      given: givenChecks(this.#options),
      ignore: this.main.ignore,
      own: await chosenRules(ownChecks, usual),
      ownErrors: ownChecks === "error",
      target,
      ...known,
    });
  }

  /** @throws DockerfileError, E_SYNTAX_FRONTEND */
  parse(observer?: ParseObserver): DockerfileAst {
    const syntax = givenSyntax(this.#options);
    return parseDockerfile(this.text, this.file.name, { syntax, ...(observer === undefined ? {} : { observer }) });
  }
}
