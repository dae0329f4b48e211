import { monotonic } from "../native/clock.ts";
import type { Descriptor } from "../store/oci/descriptor.ts";
import { MediaType } from "../store/oci/mediatype.ts";
import { formatReference, type Reference } from "../store/oci/reference.ts";
import { checkBlob, readManifest, type FetchedManifest } from "./answers.ts";
import { findCredentials, type FoundCredentials } from "./credentials/find.ts";
import { endpointsOf, type Act, type Endpoint } from "./endpoints.ts";
import { HostConfig } from "./hosts/host-config.ts";
import type { TlsOptions } from "./hosts/certificates.ts";
import type { RegistryOptions } from "./options.ts";
import { basicHeader, fetchToken, TokenCache } from "./transport/auth.ts";
import { parseChallenges } from "./transport/challenge.ts";
import { RegistryError, unexpectedStatus } from "./transport/errors.ts";
import { HttpClient, type HttpAnswer, type HttpRequest } from "./transport/http.ts";
import { isRedirect, redirected, redirectError } from "./transport/redirect.ts";
import { Retries, wait, WaitBudget } from "./transport/retry.ts";

const accepted = [MediaType.ociIndex, MediaType.dockerList, MediaType.ociManifest, MediaType.dockerManifest].join(", ");
const maxRedirects = 5;

/** Talks to registries by the OCI distribution API. One for a command: it keeps connections and tokens. */
export class RegistryClient implements AsyncDisposable {
  readonly #options: RegistryOptions;
  readonly #http: HttpClient;
  readonly #config: HostConfig;
  readonly #tokens = new TokenCache();
  readonly #credentials = new Map<string, Promise<FoundCredentials>>();
  /** Mirrors that nobody answers at: to wait for them once is enough. */
  readonly #silent = new Set<string>();
  /** Why there is no token, by API. */
  readonly #tokenless = new Map<string, string>();
  readonly #basic = new Set<string>();
  readonly #budgets = new Map<string, WaitBudget>();
  /** What a host is known to speak. */
  readonly #protocols = new Map<string, string>();

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#http = new HttpClient(options);
    this.#config = new HostConfig(options.files);
  }

  /** The manifest or index that a name or digest stands for. @throws RegistryError */
  async manifest(reference: Reference, signal?: AbortSignal): Promise<FetchedManifest> {
    const name = reference.digest ?? reference.tag ?? "latest";
    this.#config.checkPolicy(reference);
    return await this.#anywhere(reference, reference.digest === undefined ? "resolve" : "pull", async (endpoint) => {
      const request: HttpRequest = { method: "GET", headers: { accept: accepted }, signal };
      const answer = await this.send(endpoint, `/manifests/${name}`, request, "pull");
      if (answer.status !== 200) throw await this.failure(answer, endpoint, reference, "pull");
      return await readManifest(answer, reference);
    });
  }

  /** A blob's bytes from an offset on, unverified. @throws RegistryError */
  async *blob(
    reference: Reference,
    desc: Descriptor,
    offset: number,
    signal?: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    const answer = await this.#anywhere(reference, "pull", async (endpoint) => {
      const headers: Record<string, string> = offset > 0 ? { range: `bytes=${offset}-` } : {};
      const got = await this.send(endpoint, `/blobs/${desc.digest}`, { method: "GET", headers, signal }, "pull");
      if (![200, 206, 416].includes(got.status)) throw await this.failure(got, endpoint, reference, "pull");
      try {
        checkBlob(got, reference, desc, offset);
      } catch (error) {
        await got.discard();
        throw error;
      }
      return got;
    });
    // A server may ignore the range: what is there already is skipped then.
    let skip = answer.status === 206 ? 0 : offset;
    for await (const chunk of answer.body()) {
      if (skip >= chunk.byteLength) {
        skip -= chunk.byteLength;
        continue;
      }
      yield skip > 0 ? chunk.subarray(skip) : chunk;
      skip = 0;
    }
  }

  /** One request to a repository, with credentials as the registry asks for them. The status is the caller's matter. */
  async send(endpoint: Endpoint, path: string, request: HttpRequest, access: "pull" | "push"): Promise<HttpAnswer> {
    const url = path.includes("://") ? path : withNamespace(`${endpoint.api}/${endpoint.repository}${path}`, endpoint);
    const scope = `repository:${endpoint.repository}:${access === "push" ? "pull,push" : "pull"}`;
    const replayable =
      request.body === undefined || typeof request.body === "string" || request.body instanceof Uint8Array;
    const retries = replayable ? new Retries(this.#budget(endpoint)) : undefined;
    const began = monotonic();
    for (let challenged = false; ;) {
      const answer = await this.#withRetry({ retries, began, signal: request.signal }, async () => {
        const authorization = await this.#authorization(endpoint, scope);
        return await this.#follow(endpoint, url, request, authorization);
      });
      if (answer === undefined) continue;
      if (answer.status !== 401 || !replayable || challenged) return answer;
      challenged = true;
      if (!(await this.#answerChallenge(answer, endpoint, scope, request.signal))) return answer;
      await answer.discard();
    }
  }

  /** The endpoint of a host that answers; pushes go to the host itself, or where a hosts.toml sends them. @throws RegistryError */
  async originEndpoint(reference: Reference, signal?: AbortSignal): Promise<Endpoint> {
    return await this.#anywhere(reference, "push", async (endpoint) => {
      const request: HttpRequest = { method: "GET", headers: endpoint.headers, signal, tls: endpoint.tls };
      const answer = await this.#http.request(`${endpoint.api}/`, request);
      await answer.discard();
      return endpoint;
    });
  }

  async failure(answer: HttpAnswer, endpoint: Endpoint, reference: Reference, act: string): Promise<RegistryError> {
    const { status } = answer;
    const body = await answer.text();
    const retryAfter = answer.header("retry-after");
    const { tried } = await this.#credentialsOf(endpoint);
    const name = formatReference(reference);
    const error = unexpectedStatus(`${act} ${name}`, endpoint.api, { status, body, retryAfter }, tried);
    const why = status === 401 ? this.#tokenless.get(endpoint.api) : undefined;
    return why === undefined ? error : error.with([why]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#http.close();
  }

  /** Tries the mirrors, then the host; one of them answers, or all are told of. */
  async #anywhere<T>(reference: Reference, act: Act, ask: (endpoint: Endpoint) => Promise<T>): Promise<T> {
    const failures: EndpointFailure[] = [];
    for (const endpoint of endpointsOf(reference, act, { options: this.#options, config: this.#config })) {
      const { protocol, host } = new URL(endpoint.api);
      if ((this.#protocols.get(host) ?? protocol) !== protocol || this.#silent.has(endpoint.api)) continue;
      try {
        const result = await ask(endpoint);
        this.#protocols.set(host, protocol);
        return result;
      } catch (error) {
        if (!(error instanceof RegistryError) || error.code === "E_REGISTRY_CONFIG") throw error;
        failures.push({ endpoint, error });
        // It answered: the other protocol would not.
        if (hasAnswered(error)) this.#protocols.set(host, protocol);
        else if (endpoint.mirror) this.#silent.add(endpoint.api);
      }
    }
    throw tellingError(failures, this.#searchNotes(reference));
  }

  /** Who has another program's search list in mind is told what a name without a host means here. */
  #searchNotes({ host, path }: Reference): readonly string[] {
    const others = this.#config.searched.filter((one) => one !== "docker.io");
    if (host !== "docker.io" || !path.startsWith("library/") || others.length === 0) return [];
    const name = path.slice("library/".length);
    return [
      `a name without a host is docker.io's; registries.conf has ${others.map((one) => `${one}/${name}`).join(", ")}`,
    ];
  }

  /** A host gets its time once, however many images and layers it has. */
  #budget({ host }: Endpoint): WaitBudget {
    const budget = this.#budgets.get(host) ?? new WaitBudget(this.#options.patience);
    this.#budgets.set(host, budget);
    return budget;
  }

  /** undefined: it is to be sent again. */
  async #withRetry(
    {
      retries,
      began,
      signal,
    }: { readonly retries: Retries | undefined; readonly began: number; readonly signal: AbortSignal | undefined },
    act: () => Promise<HttpAnswer>,
  ): Promise<HttpAnswer | undefined> {
    try {
      const answer = await act();
      const delay = retries?.next(answer.status, answer.header("retry-after"));
      if (delay === undefined) return answer;
      await answer.discard();
      await wait(delay, signal);
    } catch (error) {
      signal?.throwIfAborted();
      const again =
        error instanceof RegistryError &&
        error.code === "E_REGISTRY_UNREACHABLE" &&
        /ECONNRESET|ETIMEDOUT|EPIPE|other side closed|UND_ERR/.test(error.message);
      // A server that takes connections and says nothing costs each try its time.
      const delay = again ? retries?.next(undefined, undefined, monotonic() - began) : undefined;
      if (delay === undefined) throw error;
      await wait(delay, signal);
    }
    return undefined;
  }

  /** Follows redirects; credentials stay with the origin that they are for. */
  async #follow(
    endpoint: Endpoint,
    url: string,
    request: HttpRequest,
    authorization: string | undefined,
  ): Promise<HttpAnswer> {
    let at = url;
    const origin = new URL(endpoint.api).origin;
    for (let count = 0; count <= maxRedirects; count++) {
      const { origin: there, host } = new URL(at);
      const own = authorization === undefined ? endpoint.headers : { ...endpoint.headers, authorization };
      const answer = await this.#http.request(at, {
        ...request,
        headers: { ...request.headers, ...(there === origin ? own : {}) },
        tls: there === origin ? endpoint.tls : this.#config.tls(host, { verify: true }),
      });
      const location = answer.header("location");
      if (!isRedirect(answer.status) || location === undefined) return answer;
      await answer.discard();
      // What was sent as it came is gone.
      if (isStream(request.body)) throw redirectError(url, "it sends an upload elsewhere");
      at = redirected(location, at, url);
    }
    throw redirectError(url, "too many redirects");
  }

  async #authorization(endpoint: Endpoint, scope: string): Promise<string | undefined> {
    const token = this.#tokens.get(endpoint.api, scope);
    if (token !== undefined) return `Bearer ${token}`;
    if (!this.#basic.has(endpoint.api)) return undefined;
    const { credentials } = await this.#credentialsOf(endpoint);
    return credentials?.kind === "basic" ? basicHeader(credentials.username, credentials.password) : undefined;
  }

  /** Gets what a 401 asks for; false when there is nothing more to give. */
  async #answerChallenge(
    answer: HttpAnswer,
    endpoint: Endpoint,
    scope: string,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const challenges = parseChallenges(answer.header("www-authenticate") ?? "");
    const { credentials } = await this.#credentialsOf(endpoint);
    const bearer = challenges.find(({ scheme }) => scheme === "bearer");
    if (bearer !== undefined) {
      if (credentials?.kind === "registry") {
        this.#tokens.set(endpoint.api, scope, credentials.token, undefined);
        return true;
      }
      const { origin } = new URL(endpoint.api);
      const found = await fetchToken(bearer, { scope, credentials, origin }, async (url, init) => {
        const got = await this.#http.request(url, { ...init, signal, tls: this.#tlsOf(url, endpoint) });
        return { status: got.status, body: await got.text(1 << 20) };
      });
      if (found.token !== undefined) this.#tokens.set(endpoint.api, scope, found.token, found.expiresIn);
      else if (found.why !== undefined) this.#tokenless.set(endpoint.api, found.why);
      return found.token !== undefined;
    }
    if (challenges.length === 0 || credentials?.kind !== "basic" || this.#basic.has(endpoint.api)) return false;
    this.#basic.add(endpoint.api);
    return true;
  }

  /** A token service has certificates of its own, unless it is the registry. */
  #tlsOf(url: string, endpoint: Endpoint): TlsOptions | undefined {
    const { origin, host } = new URL(url);
    return origin === new URL(endpoint.api).origin ? endpoint.tls : this.#config.tls(host, { verify: true });
  }

  async #credentialsOf({ host, repository }: Endpoint): Promise<FoundCredentials> {
    const key = `${host}/${repository}`;
    const known = this.#credentials.get(key) ?? findCredentials(host, repository, this.#options);
    this.#credentials.set(key, known);
    return await known;
  }
}

interface EndpointFailure {
  readonly endpoint: Endpoint;
  readonly error: RegistryError;
}

/** Of several failures an answer tells more than silence, and the host itself more than a mirror; the others are notes. */
function tellingError(failures: readonly EndpointFailure[], more: readonly string[]): Error {
  const told = failures.find(({ error }) => hasAnswered(error)) ?? failures.at(-1);
  if (told === undefined) return new RangeError("no endpoint");
  const mirrors = failures.filter((one) => one !== told && one.endpoint.mirror);
  const notes = mirrors.map(({ endpoint, error }) => `mirror ${new URL(endpoint.api).host}: ${error.message}`);
  const all = [...new Set([...notes, ...more])];
  return all.length === 0 ? told.error : told.error.with(all);
}

/** What nobody says who does not speak the protocol. */
const answerCodes: ReadonlySet<string> = new Set(["E_REGISTRY_LIES", "E_REGISTRY_REDIRECT", "E_SIZE_MISMATCH"]);

function hasAnswered({ status, code }: RegistryError): boolean {
  return status !== undefined || answerCodes.has(code);
}

/** A mirror of many registries is told which one is meant. @see containerd, docs/hosts.md */
function withNamespace(url: string, { namespace }: Endpoint): string {
  if (namespace === undefined) return url;
  return `${url}${url.includes("?") ? "&" : "?"}ns=${encodeURIComponent(namespace)}`;
}

function isStream(body: HttpRequest["body"]): boolean {
  return body !== undefined && typeof body !== "string" && !(body instanceof Uint8Array);
}
