import { TTLCache } from "@isaacs/ttlcache";
import type { Credentials } from "../credentials/credentials.ts";
import { isLoopback } from "../endpoints.ts";
import type { Challenge } from "./challenge.ts";

/** The value of an Authorization header for basic credentials. */
export function basicHeader(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

/** Sends one request and gives status and body. */
export type TokenFetch = (
  url: string,
  init: { readonly method: string; readonly headers: Record<string, string>; readonly body?: string },
) => Promise<{ readonly status: number; readonly body: string }>;

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

/** Addresses that clouds answer themselves: no token service has one. */
const linkLocal = /^(?:169\.254\.|\[fe[89ab])/i;

/** The token service that a registry names: over TLS, or as the registry itself without. undefined: it may not be asked. */
function realmOf({ realm = "" }: Challenge["parameters"], origin: string): URL | undefined {
  const url = URL.parse(realm);
  if (url === null || url.username !== "" || url.password !== "" || linkLocal.test(url.hostname)) return undefined;
  if (url.protocol === "https:") return url;
  return url.protocol === "http:" && origin.startsWith("http:") ? url : undefined;
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
  /** The registry's own. */
  readonly origin: string;
}

/** What a token service gave, or why there is no token, if not for the credentials. */
export type TokenResult =
  | { readonly token: string; readonly expiresIn: number | undefined }
  | { readonly token: undefined; readonly why: string | undefined };

/** Asks the token service of a bearer challenge. */
export async function fetchToken(
  challenge: Challenge,
  { scope, credentials, origin }: TokenRequest,
  fetch: TokenFetch,
): Promise<TokenResult> {
  const { service, realm: named = "" } = challenge.parameters;
  const realm = realmOf(challenge.parameters, origin);
  if (realm === undefined)
    return { token: undefined, why: `its token service may not be asked: ${JSON.stringify(named.slice(0, 100))}` };
  const known = isSafe(realm, origin) ? credentials : undefined;
  const answer =
    known?.kind === "identity"
      ? await postToken(realm.href, service, scope, known.token, fetch)
      : await getToken(realm.href, service, scope, known, fetch);
  if (answer.status === 401 || answer.status === 403) return { token: undefined, why: undefined };
  if (answer.status !== 200)
    return { token: undefined, why: `its token service ${realm.host} answered ${answer.status}` };
  return readToken(answer.body) ?? { token: undefined, why: `its token service ${realm.host} gave no token` };
}

async function getToken(
  realm: string,
  service: string | undefined,
  scope: string,
  credentials: Credentials | undefined,
  fetch: TokenFetch,
): ReturnType<TokenFetch> {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set("service", service);
  for (const one of scope.split(" ").filter((text) => text !== "")) url.searchParams.append("scope", one);
  const headers: Record<string, string> = {};
  if (credentials?.kind === "basic") headers["authorization"] = basicHeader(credentials.username, credentials.password);
  return await fetch(url.href, { method: "GET", headers });
}

async function postToken(
  realm: string,
  service: string | undefined,
  scope: string,
  refreshToken: string,
  fetch: TokenFetch,
): ReturnType<TokenFetch> {
  const form = new URLSearchParams({
    grant_type: "refresh_token",
    service: service ?? "",
    client_id: "tsbuild",
    scope,
    refresh_token: refreshToken,
  });
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  return await fetch(realm, { method: "POST", headers, body: form.toString() });
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
