import type { HttpAnswer, HttpClient } from "../../../registry/transport/http.ts";
import { UrlError } from "./errors.ts";
import { redirects, redirectTarget } from "./redirect.ts";

const maxRedirects = 10;

/** A GET, as it is to be sent. */
export interface UrlRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent to the URL's own origin (scheme, host and port) and to no other. */
  readonly authorization: string | undefined;
  /** The content is checked against a checksum. */
  readonly pinned: boolean;
  readonly signal: AbortSignal;
}

/** The answer at the end of all redirects. @throws E_URL_REDIRECT, E_URL_UNREACHABLE, E_URL_TLS */
export async function openUrl(http: HttpClient, request: UrlRequest): Promise<HttpAnswer> {
  const { url, headers, authorization, pinned, signal } = request;
  const { origin } = new URL(url);
  let at = url;
  for (let count = 0; count <= maxRedirects; count++) {
    const own = authorization !== undefined && new URL(at).origin === origin ? { authorization } : {};
    const answer = await http.request(at, { method: "GET", headers: { ...headers, ...own }, signal });
    const location = answer.header("location");
    if (!redirects.has(answer.status) || location === undefined) return answer;
    await answer.discard();
    at = redirectTarget(at, location, pinned);
  }
  throw new UrlError(`Cannot follow ${new URL(url).host}: more than ${maxRedirects} redirects`, {
    code: "E_URL_REDIRECT",
  });
}
