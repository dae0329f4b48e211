import { formatReference, type Reference } from "../../store/oci/reference.ts";
import { Authorizer } from "./authorizer.ts";
import type { Endpoint } from "../hosts/endpoints.ts";
import type { HostConfig } from "../hosts/host-config.ts";
import type { RegistryOptions } from "../options.ts";
import type { TokenFetch } from "./token.ts";
import { unexpectedStatus, unreachable, type RegistryError } from "../errors.ts";
import { HttpClient, type HttpAnswer, type HttpRequest } from "../http/client.ts";
import { follow, namedPlace, type Place } from "../http/redirect.ts";
import { redirected, redirectError } from "./redirected.ts";
import { retried } from "../http/retried.ts";
import { Retries, WaitBudget } from "../http/retry.ts";

const maxRedirects = 5;

/** An answer, and the place that gave it in the end. */
export interface Sent {
  readonly answer: HttpAnswer;
  readonly place: Place;
}

/** One request to a repository. */
export interface RepositoryRequest extends Omit<HttpRequest, "tls" | "reach"> {
  /** Below the repository, or where an answer of the registry's led. */
  readonly at: string | Place;
  readonly access: "pull" | "push";
  /** Another repository of the registry that is read. */
  readonly source?: string | undefined;
}

/**
 * Sends requests to repositories: in the order of the calls, each may be answered by a challenge, which is met; be sent
 * again; and be led elsewhere, where nobody is told who asks.
 */
export class Sender implements AsyncDisposable {
  readonly #options: RegistryOptions;
  readonly #http: HttpClient;
  readonly #config: HostConfig;
  readonly #authorizer: Authorizer;
  readonly #budgets = new Map<string, WaitBudget>();

  constructor(options: RegistryOptions, config: HostConfig) {
    this.#options = options;
    this.#http = new HttpClient(options, unreachable);
    this.#config = config;
    this.#authorizer = new Authorizer(options, (endpoint, signal) => this.#tokenFetch(endpoint, signal));
  }

  /** With credentials as the registry asks for them. The status is the caller's matter. */
  async send(endpoint: Endpoint, request: RepositoryRequest): Promise<Sent> {
    const { at, access, source, ...rest } = request;
    const first = typeof at === "string" ? namedPlace(withNamespace(endpoint, at)) : at;
    const scope = scopeOf(endpoint, access, source);
    const retries = isStream(rest.body) ? undefined : this.retries(endpoint);
    for (let challenged = isStream(rest.body); ;) {
      let place = first;
      const answer = await retried(retries, rest.signal, async () => {
        const sent = await this.#follow(endpoint, first, rest, scope);
        ({ place } = sent);
        return sent.answer;
      });
      // Whoever else asks who it is gets no answer.
      if (answer.status !== 401 || !place.home || challenged) return { answer, place };
      challenged = true;
      if (!(await this.#authorizer.meet({ answer, endpoint, scope, signal: rest.signal }))) return { answer, place };
      await answer.discard();
    }
  }

  /** The API itself, with nobody's credentials. */
  async probe(endpoint: Endpoint, signal: AbortSignal | undefined): Promise<void> {
    const { headers, tls } = endpoint;
    const ask = async (): Promise<HttpAnswer> =>
      await this.#http.request(`${endpoint.api}/`, { method: "GET", headers, signal, tls });
    await (await retried(this.retries(endpoint), signal, ask)).discard();
  }

  /** A host gets its time once, however many images and layers it has. */
  retries({ host }: Endpoint): Retries {
    const budget = this.#budgets.get(host) ?? new WaitBudget(this.#options.patience);
    this.#budgets.set(host, budget);
    return new Retries(budget);
  }

  async failure(
    { answer, place }: Sent,
    endpoint: Endpoint,
    reference: Reference,
    act: string,
  ): Promise<RegistryError> {
    const { status } = answer;
    const body = await answer.text();
    const retryAfter = answer.header("retry-after");
    const elsewhere = place.home ? undefined : new URL(place.url).host;
    const { tried } = await this.#authorizer.credentialsOf(endpoint);
    const what = `${act} ${formatReference(reference)}`;
    const error = unexpectedStatus(what, endpoint.api, { status, body, retryAfter, elsewhere }, tried);
    const why = status === 401 ? this.#authorizer.whyNone(endpoint) : undefined;
    return why === undefined ? error : error.with([why]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#http.close();
  }

  /** Follows redirects; credentials, headers and certificates of the registry stay with its origin. */
  async #follow(endpoint: Endpoint, first: Place, request: HttpRequest, scope: string): Promise<Sent> {
    const authorization = await this.#authorizer.header(endpoint, scope);
    const own = authorization === undefined ? endpoint.headers : { ...endpoint.headers, authorization };
    const found = await follow(first, {
      ask: async ({ url, home, reach }) =>
        await this.#http.request(url, {
          ...request,
          reach,
          headers: home ? { ...request.headers, ...own } : request.headers,
          tls: home ? endpoint.tls : this.#config.tls(new URL(url).host, { verify: true, clients: false }),
        }),
      target: (location, from) => {
        // What was sent as it came is gone.
        if (isStream(request.body)) throw redirectError(first.url, "it sends an upload elsewhere");
        return redirected(location, from, first.url);
      },
      limit: maxRedirects,
    });
    if (found === undefined) throw redirectError(first.url, "too many redirects");
    return found;
  }

  #tokenFetch(endpoint: Endpoint, signal: AbortSignal | undefined): TokenFetch {
    return tokenFetch(this.#http, { endpoint, config: this.#config, retries: () => this.retries(endpoint), signal });
  }
}

/** Asks token services, more than once where that may help. They have certificates of their own, unless it is the registry. */
export function tokenFetch(
  http: HttpClient,
  wanted: {
    readonly endpoint: Endpoint;
    readonly config: HostConfig;
    readonly retries: () => Retries;
    readonly signal: AbortSignal | undefined;
  },
): TokenFetch {
  const { endpoint, config, retries, signal } = wanted;
  return async ({ url, reach }, init) => {
    const { origin, host } = new URL(url);
    const tls = origin === new URL(endpoint.api).origin ? endpoint.tls : config.tls(host, { verify: true });
    return await retried(retries(), signal, async () => await http.request(url, { ...init, reach, tls, signal }));
  };
}

function scopeOf({ repository }: Endpoint, access: "pull" | "push", source: string | undefined): string {
  const own = `repository:${repository}:${access === "push" ? "pull,push" : "pull"}`;
  return source === undefined ? own : `${own} repository:${source}:pull`;
}

/** A mirror of many registries is told which one is meant. @see containerd, docs/hosts.md */
function withNamespace({ api, repository, namespace }: Endpoint, path: string): string {
  const url = `${api}/${repository}${path}`;
  if (namespace === undefined) return url;
  return `${url}${url.includes("?") ? "&" : "?"}ns=${encodeURIComponent(namespace)}`;
}

function isStream(body: HttpRequest["body"]): boolean {
  return body !== undefined && typeof body !== "string" && !(body instanceof Uint8Array);
}
