import { gitSpec, shownGit, type GitFlags } from "../../graph/git-vertex.ts";
import type { GitSource } from "../source/git/source.ts";
import { httpDate } from "../../../registry/http/http-date.ts";
import type { HttpSource } from "../source/http/source.ts";
import type { SourceProgress } from "../source/progress.ts";
import type { UrlCredentials } from "../source/url-credentials.ts";
import { checkContextUrl, isHttpUrl, type ContextUrl } from "./url.ts";

/** A context that was brought here. */
export interface RemoteContext {
  /** Names the project from build to build. */
  readonly id: string;
  /** An archive or a Dockerfile; belongs to the store. */
  readonly path?: string;
  /** The files, where they did not come as one; only for reading. */
  readonly directory?: string;
  /** Seconds since the epoch: when it changed, as far as its server said. */
  readonly modified: number | undefined;
}

/** What brings contexts here. */
export interface ContextSources {
  readonly http: HttpSource;
  readonly git: GitSource;
  readonly credentials: UrlCredentials;
  /** What build arguments ask of a repository. */
  readonly gitFlags: GitFlags;
  /** Tells of a step of this name. */
  readonly progress: (name: string) => SourceProgress;
}

/** A Dockerfile that was brought here; `path` belongs to the store. */
export interface RemoteDockerfile {
  readonly id: string;
  readonly path: string;
}

/** Whether a Dockerfile is to be fetched. */
export function isRemoteDockerfile(dockerfile: string | undefined): dockerfile is string {
  return dockerfile !== undefined && isHttpUrl(dockerfile);
}

/** Fetches a Dockerfile that is named by a URL. @throws UrlError, E_URL_INVALID */
export async function fetchDockerfile(
  dockerfile: string,
  { http, credentials, progress }: Pick<ContextSources, "http" | "credentials" | "progress">,
): Promise<RemoteDockerfile> {
  const url = credentials.take(checkContextUrl(dockerfile));
  const file = await http.fetch({ url }, progress("[internal] load remote build definition"));
  return { id: url, path: http.path(file) };
}

/** Fetches a context. @throws UrlError, E_GIT_* */
export async function fetchContext(context: ContextUrl, sources: ContextSources): Promise<RemoteContext> {
  const { http, git, credentials, gitFlags, progress } = sources;
  if (context.kind === "http") {
    const url = credentials.take(context.url);
    const file = await http.fetch({ url }, progress("[internal] load remote build context"));
    const modified = httpDate(file.lastModified);
    return {
      id: url,
      path: http.path(file),
      modified: modified === undefined ? undefined : Math.floor(modified / 1000),
    };
  }
  const { remote, userinfo } = context.url;
  if (userinfo !== undefined) credentials.keep(remote, userinfo);
  const spec = gitSpec(context.url, gitFlags);
  const id = shownGit(spec);
  await git.identify(spec, progress(`[internal] resolve ${id}`));
  const told = progress(`[internal] load git source ${id}`);
  const directory = await git.checkOut(spec, told);
  return { id, directory, modified: await git.commitTime(spec, told) };
}
