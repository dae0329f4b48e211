import { TTLCache } from "@isaacs/ttlcache";
import type { Credentials } from "../credentials/credentials.ts";
import { isLoopback } from "../hosts/endpoints.ts";
import { basicHeader } from "../http/basic-header.ts";
import { isReached, nearnessOfHost, reachFrom, type Nearness } from "../http/address.ts";
import type { Challenge } from "./challenge.ts";
import { tokenError } from "../errors.ts";
import type { HttpAnswer } from "../http/client.ts";
import { isRedirect, leadTo, type Place } from "../http/redirect.ts";
import { redirected } from "./redirected.ts";
import { isTemporary } from "../http/retry.ts";

/** Sends one request to a token service and gives its answer; it may be sent again. */
export type TokenFetch = (
  place: Place,
  init: { readonly method: string; readonly headers: Record<string, string>; readonly body?: string },
) => Promise<Pick<HttpAnswer, "status" | "header" | "text" | "discard" | "nearness">>;

/** A token is not used in its last seconds. */
const margin = 10_000;
const defaultLife = 60_000;
const maxLife = 86_400_000;

/** Bearer tokens by origin and scope, for as long as they are good. */
export class TokenCache {
  /** Made when the first token comes: most commands need none. */
  #tokens: TTLCache<string, string> | undefined;

  get(origin: string, scope: string): string | undefined {
    return this.#tokens?.get(`${origin} ${scope}`);
  }

  set(origin: string, scope: string, token: string, seconds: number | undefined): void {
    const life = seconds === undefined ? defaultLife : Math.floor(Math.min(maxLife, seconds * 1000));
    const ttl = Math.max(1000, life - margin);
    this.#tokens ??= new TTLCache<string, string>({ max: 1000, noUpdateTTL: true });
    this.#tokens.set(`${origin} ${scope}`, token, { ttl });
    // The cache's timer must not keep a finished command alive.
    this.#tokens.cancelTimer();
  }

  delete(origin: string, scope: string): void {
    this.#tokens?.delete(`${origin} ${scope}`);
  }
}

const maxAnswer = 1 << 20;
const maxRedirects = 5;

/**
 * The token service that a registry names: over TLS, or as the registry itself without; never on this machine for one of
 * the network. undefined: it may not be asked.
 */
function realmOf({ realm = "" }: Challenge["parameters"], { origin, nearness }: TokenRequest): Place | undefined {
  const url = URL.parse(realm);
  if (url === null || url.username !== "" || url.password !== "") return undefined;
  if (url.protocol !== "https:" && (url.protocol !== "http:" || !origin.startsWith("http:"))) return undefined;
  // What it leads to is not what the user named, unless it is the registry itself.
  const reach = url.origin === origin ? "anywhere" : reachFrom(nearness);
  return isReached(nearnessOfHost(url.hostname), reach) ? { url: url.href, home: true, reach } : undefined;
}

/** Whether it may be told the credentials: over TLS, on this machine, or if the registry is told them too. */
function isSafe(realm: URL, origin: string): boolean {
  return realm.protocol === "https:" || realm.origin === origin || isLoopback(realm.host);
}

/** What a token is wanted for. */
export interface TokenRequest {
  /** `repository:library/debian:pull`; empty: none but to know who asks. */
  readonly scope: string;
  readonly credentials: Credentials | undefined;
  /** The registry's own: nobody else's challenge may be answered. */
  readonly origin: string;
  /** Where the registry is. */
  readonly nearness: Nearness;
}

/** What a token service gave, or why there is no token, if not for the credentials. */
export type TokenResult =
  | { readonly token: string; readonly expiresIn: number | undefined }
  | { readonly token: undefined; readonly why: string | undefined };

/** Asks the token service of a bearer challenge. @throws RegistryError when it has no answer now */
export async function fetchToken(challenge: Challenge, wanted: TokenRequest, fetch: TokenFetch): Promise<TokenResult> {
  const { scope, credentials, origin } = wanted;
  const { service, realm: named = "" } = challenge.parameters;
  const place = realmOf(challenge.parameters, wanted);
  if (place === undefined)
    return { token: undefined, why: `its token service may not be asked: ${JSON.stringify(named.slice(0, 100))}` };
  const realm = new URL(place.url);
  const known = isSafe(realm, origin) ? credentials : undefined;
  const form = known?.kind === "identity" ? refreshForm(service, scope, known.token) : undefined;
  const first = form === undefined ? { ...place, url: tokenUrl(realm, service, scope) } : place;
  const answer = await askToken(first, form ?? { method: "GET", headers: basicOf(known) }, fetch);
  const { status } = answer;
  if (status === 200) {
    return (
      readToken(await answer.text(maxAnswer)) ?? {
        token: undefined,
        why: `its token service ${realm.host} gave no token`,
      }
    );
  }
  const retryAfter = answer.header("retry-after");
  await answer.discard();
  if (status === 401 || status === 403) return { token: undefined, why: undefined };
  const why = `its token service ${realm.host} answered ${status}`;
  if (isTemporary(status)) throw tokenError(origin, why, { status, retryAfter });
  return { token: undefined, why };
}

/** Follows redirects within the service's own origin: to another one neither who asks goes nor what for. */
async function askToken(first: Place, init: Parameters<TokenFetch>[1], fetch: TokenFetch): ReturnType<TokenFetch> {
  for (let at = first, count = 0; ; count++) {
    const answer = await fetch(at, init);
    const location = answer.header("location");
    if (init.method !== "GET" || !isRedirect(answer.status) || location === undefined || count === maxRedirects)
      return answer;
    const next = leadTo(redirected(location, at.url), at, answer);
    if (!next.home) return answer;
    await answer.discard();
    at = next;
  }
}

function tokenUrl(realm: URL, service: string | undefined, scope: string): string {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set("service", service);
  for (const one of scope.split(" ").filter((text) => text !== "")) url.searchParams.append("scope", one);
  return url.href;
}

function basicOf(credentials: Credentials | undefined): Record<string, string> {
  return credentials?.kind === "basic"
    ? { authorization: basicHeader(credentials.username, credentials.password) }
    : {};
}

/** @see distribution, docs/spec/auth/oauth.md */
function refreshForm(service: string | undefined, scope: string, token: string): Parameters<TokenFetch>[1] {
  const form = new URLSearchParams({
    grant_type: "refresh_token",
    service: service ?? "",
    client_id: "tsbuild",
    scope,
    refresh_token: token,
  });
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  return { method: "POST", headers, body: form.toString() };
}

function readToken(body: string): { readonly token: string; readonly expiresIn: number | undefined } | undefined {
  try {
    const json: { token?: unknown; access_token?: unknown; expires_in?: unknown } = JSON.parse(body);
    const token = json.token ?? json.access_token;
    // It becomes a header's value.
    if (typeof token !== "string" || !/^[\x21-\x7e]+$/.test(token)) return undefined;
    return { token, expiresIn: typeof json.expires_in === "number" ? json.expires_in : undefined };
  } catch {
    return undefined;
  }
}
