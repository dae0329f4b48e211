import { digestOf } from "../../../store/oci/digest.ts";
import { givenAdvice, givenGitFlags } from "../../options/builtin-args.ts";
import { openContextDirectory } from "../../inputs/context/dockerfile.ts";
import { openMainContext, type MainContext } from "../../inputs/context/main.ts";
import {
  fetchContext,
  fetchDockerfile,
  isRemoteDockerfile,
  type RemoteContext,
  type RemoteDockerfile,
} from "../../inputs/context/remote.ts";
import { parseContextUrl, type ContextUrl } from "../../inputs/context/url.ts";
import { Workspace } from "../../inputs/context/workspace.ts";
import type { ProgressSink } from "../../graph/events.ts";
import { definitionStep, internalStep } from "../../graph/internal-step.ts";
import type { BuildOptions } from "../../options/options.ts";
import { Secrets } from "../../inputs/secrets/secrets.ts";
import { GitSource } from "../../inputs/source/git/source.ts";
import { HttpSource } from "../../inputs/source/http/source.ts";
import { sourceProgress } from "../../inputs/source/progress.ts";
import { UrlCredentials } from "../../inputs/source/url-credentials.ts";
import { openAgents } from "../../inputs/ssh/open-agents.ts";
import type { TemporaryStore } from "./temporary-store.ts";

/** A Dockerfile that is only looked at. */
export interface Definition extends Pick<MainContext, "file" | "ignore" | "time"> {
  readonly text: string;
}

/** Where it is looked for and who is told. */
export interface DefinitionRequest {
  readonly options: Pick<
    BuildOptions,
    "context" | "dockerfile" | "stdin" | "registry" | "secrets" | "ssh" | "buildArgs"
  >;
  readonly temporary: TemporaryStore;
  readonly emit: ProgressSink;
  readonly signal: AbortSignal;
}

/** Reads the Dockerfile of a context and its ignore file, and nothing else of it. @throws as openMainContext() */
export async function readDefinition(request: DefinitionRequest): Promise<Definition> {
  const { options, temporary, emit, signal } = request;
  const { context, dockerfile, stdin } = options;
  const url = context === "-" ? undefined : parseContextUrl(context);
  if (context !== "-" && url === undefined) openContextDirectory(context);
  using workspace = new Workspace(() => temporary.directory());
  const fetched = url === undefined && !isRemoteDockerfile(dockerfile) ? undefined : await fetch(url, request);
  const { file, ignore, time } = await internalStep(emit, definitionStep.name, () =>
    openMainContext({
      context,
      dockerfile,
      stdin,
      remote: fetched?.remote,
      remoteDockerfile: fetched?.remoteDockerfile,
      workspace,
      signal,
    }),
  );
  return { file, ignore, time, text: file.bytes.toString("utf8") };
}

async function fetch(
  url: ContextUrl | undefined,
  request: DefinitionRequest,
): Promise<{ readonly remote: RemoteContext | undefined; readonly remoteDockerfile: RemoteDockerfile | undefined }> {
  const { options, temporary, emit, signal } = request;
  const secrets = new Secrets(options.secrets ?? {});
  const credentials = new UrlCredentials(secrets.mask);
  const store = await temporary.store();
  const registry = options.registry ?? {};
  await using http = new HttpSource({ store, registry, secrets, credentials });
  const progress = (name: string): ReturnType<typeof sourceProgress> =>
    sourceProgress(emit, { digest: digestOf(name), name }, signal);
  const ssh = await openAgents(options.ssh);
  using git = new GitSource({ store, registry, secrets, credentials, ssh, advice: givenAdvice(options) });
  const gitFlags = givenGitFlags(options);
  const sources = { http, git, credentials, gitFlags, progress };
  const { dockerfile } = options;
  return {
    remote: url === undefined ? undefined : await fetchContext(url, sources),
    remoteDockerfile: isRemoteDockerfile(dockerfile) ? await fetchDockerfile(dockerfile, sources) : undefined,
  };
}
