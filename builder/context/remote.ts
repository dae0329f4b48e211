import { TsbuildError } from "../../native/errors.ts";
import { httpDate } from "../source/http/validators.ts";
import type { HttpSource } from "../source/http/source.ts";
import type { SourceProgress } from "../source/progress.ts";
import type { UrlCredentials } from "../source/url-credentials.ts";
import type { ContextUrl } from "./url.ts";

/** A context that was brought here. */
export interface RemoteContext {
  /** Names the project from build to build. */
  readonly id: string;
  /** An archive or a Dockerfile; belongs to the store. */
  readonly path: string;
  /** Seconds since the epoch: when it changed, as far as its server said. */
  readonly modified: number | undefined;
}

/** Fetches a context. @throws UrlError */
export async function fetchContext(
  context: ContextUrl,
  parts: {
    readonly http: HttpSource;
    readonly credentials: UrlCredentials;
    readonly progress: (name: string) => SourceProgress;
  },
): Promise<RemoteContext> {
  if (context.kind === "git") {
    throw new TsbuildError(`Cannot use ${context.url.remote} as the build context: git is not implemented`, {
      code: "E_CONTEXT_NOT_IMPLEMENTED",
      hint: "git clone it and give the directory",
    });
  }
  const { http, credentials, progress } = parts;
  const url = credentials.take(context.url);
  const file = await http.fetch({ url }, progress("[internal] load remote build context"));
  const modified = httpDate(file.lastModified);
  return { id: url, path: http.path(file), modified: modified === undefined ? undefined : Math.floor(modified / 1000) };
}
