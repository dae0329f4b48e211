import { findCredentials, type FoundCredentials } from "../credentials/find.ts";
import type { Endpoint } from "../hosts/endpoints.ts";
import type { RegistryOptions } from "../options.ts";
import { fetchToken, TokenCache, type TokenFetch } from "./token.ts";
import { basicHeader } from "../http/basic-header.ts";
import { parseChallenges } from "./challenge.ts";
import type { HttpAnswer } from "../http/client.ts";

/** How the token service of an endpoint is asked. */
export type TokenFetchFor = (endpoint: Endpoint, signal: AbortSignal | undefined) => TokenFetch;

/** What is to be answered: a 401 of the endpoint's own origin. */
export interface Challenged {
  readonly answer: HttpAnswer;
  readonly endpoint: Endpoint;
  readonly scope: string;
  readonly signal: AbortSignal | undefined;
}

/** Who asks, for each registry: what its challenges made of the credentials that there are for it. */
export class Authorizer {
  readonly #options: RegistryOptions;
  readonly #fetch: TokenFetchFor;
  readonly #tokens = new TokenCache();
  readonly #credentials = new Map<string, Promise<FoundCredentials>>();
  /** Why there is no token, by API. */
  readonly #tokenless = new Map<string, string>();
  readonly #basic = new Set<string>();

  constructor(options: RegistryOptions, fetch: TokenFetchFor) {
    this.#options = options;
    this.#fetch = fetch;
  }

  /** The header for a request to the endpoint's own origin. */
  async header(endpoint: Endpoint, scope: string): Promise<string | undefined> {
    const token = this.#tokens.get(endpoint.api, scope);
    if (token !== undefined) return `Bearer ${token}`;
    if (!this.#basic.has(endpoint.api)) return undefined;
    const { credentials } = await this.credentialsOf(endpoint);
    return credentials?.kind === "basic" ? basicHeader(credentials.username, credentials.password) : undefined;
  }

  /**
   * Gets what a challenge asks for; false when there is nothing more to give.
   * @throws RegistryError when its token service has no answer now
   */
  async meet({ answer, endpoint, scope, signal }: Challenged): Promise<boolean> {
    const challenges = parseChallenges(answer.header("www-authenticate") ?? "");
    const { credentials } = await this.credentialsOf(endpoint);
    const bearer = challenges.find(({ scheme }) => scheme === "bearer");
    if (bearer !== undefined) {
      if (credentials?.kind === "registry") {
        this.#tokens.set(endpoint.api, scope, credentials.token, undefined);
        return true;
      }
      const { origin } = new URL(endpoint.api);
      const { nearness } = answer;
      const wanted = { scope, credentials, origin, nearness };
      const found = await fetchToken(bearer, wanted, this.#fetch(endpoint, signal));
      if (found.token !== undefined) this.#tokens.set(endpoint.api, scope, found.token, found.expiresIn);
      else if (found.why !== undefined) this.#tokenless.set(endpoint.api, found.why);
      return found.token !== undefined;
    }
    if (challenges.length === 0 || credentials?.kind !== "basic" || this.#basic.has(endpoint.api)) return false;
    this.#basic.add(endpoint.api);
    return true;
  }

  /** Why a registry gave no token, beyond the credentials. */
  whyNone({ api }: Endpoint): string | undefined {
    return this.#tokenless.get(api);
  }

  async credentialsOf({ host, repository }: Endpoint): Promise<FoundCredentials> {
    const key = `${host}/${repository}`;
    const known = this.#credentials.get(key) ?? findCredentials(host, repository, this.#options);
    this.#credentials.set(key, known);
    return await known;
  }
}
