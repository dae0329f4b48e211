import { TTLCache } from "@isaacs/ttlcache";
import type { Credentials } from "../credentials/credentials.ts";

/** What a `WWW-Authenticate` header asks for. @see RFC 6750, distribution's token authentication */
export interface Challenge {
  readonly scheme: "bearer" | "basic";
  readonly parameters: Readonly<Record<string, string>>;
}

/** The challenges of a header, those that are understood. */
export function parseChallenges(header: string): readonly Challenge[] {
  const challenges: Challenge[] = [];
  for (const part of header.matchAll(/(bearer|basic)\s+((?:[\w-]+\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s,]+)\s*,?\s*)*)/gi)) {
    const scheme = (part[1] ?? "").toLowerCase() === "bearer" ? "bearer" : "basic";
    const parameters: Record<string, string> = {};
    for (const [, key, quoted, plain] of (part[2] ?? "").matchAll(
      /([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))/g,
    )) {
      parameters[(key ?? "").toLowerCase()] = quoted?.replace(/\\(.)/g, "$1") ?? plain ?? "";
    }
    challenges.push({ scheme, parameters });
  }
  return challenges;
}

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

/** Bearer tokens by origin and scope, for as long as they are good. */
export class TokenCache {
  /** Made when the first token comes: most commands need none. */
  #tokens: TTLCache<string, string> | undefined;

  get(origin: string, scope: string): string | undefined {
    return this.#tokens?.get(`${origin} ${scope}`);
  }

  set(origin: string, scope: string, token: string, seconds: number | undefined): void {
    const life = seconds === undefined ? defaultLife : seconds * 1000;
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

/** Whether a token service may be told the credentials: over TLS, on this machine, or if the registry is told them too. */
function safeRealm(realm: string, origin: string): boolean {
  const url = URL.parse(realm);
  if (url === null) return false;
  return url.protocol === "https:" || url.origin === origin || /^(?:localhost|127\.[\d.]+|\[::1\])$/.test(url.hostname);
}

/** What a token is wanted for. */
export interface TokenRequest {
  /** `repository:library/debian:pull`; empty: none but to know who asks. */
  readonly scope: string;
  readonly credentials: Credentials | undefined;
  /** The registry's own. */
  readonly origin: string;
}

/** Asks the token service of a bearer challenge. undefined when it gives none. */
export async function fetchToken(
  challenge: Challenge,
  { scope, credentials, origin }: TokenRequest,
  fetch: TokenFetch,
): Promise<{ readonly token: string; readonly expiresIn: number | undefined } | undefined> {
  const { realm = "", service } = challenge.parameters;
  if (!URL.canParse(realm)) return undefined;
  const known = safeRealm(realm, origin) ? credentials : undefined;
  const answer =
    known?.kind === "identity"
      ? await postToken(realm, service, scope, known.token, fetch)
      : await getToken(realm, service, scope, known, fetch);
  if (answer.status !== 200) return undefined;
  return readToken(answer.body);
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
    if (typeof token !== "string" || token === "") return undefined;
    return { token, expiresIn: typeof json.expires_in === "number" ? json.expires_in : undefined };
  } catch {
    return undefined;
  }
}
