import type { HttpAnswer, HttpClient } from "../../../../registry/http/client.ts";
import { follow, namedPlace } from "../../../../registry/http/redirect.ts";
import { UrlError } from "./errors.ts";
import { redirectTarget } from "./redirect.ts";

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
  const own = authorization === undefined ? headers : { ...headers, authorization };
  const found = await follow(namedPlace(url), {
    ask: async (place) =>
      await http.request(place.url, {
        method: "GET",
        headers: place.home ? own : headers,
        reach: place.reach,
        signal,
      }),
    target: (location, from) => redirectTarget(from, location, pinned),
    limit: maxRedirects,
  });
  if (found !== undefined) return found.answer;
  throw new UrlError(`Cannot follow ${new URL(url).host}: more than ${maxRedirects} redirects`, {
    code: "E_URL_REDIRECT",
  });
}
