import type { TsbuildError } from "../native/errors.ts";
import type { Descriptor } from "../store/oci/descriptor.ts";
import { digestOf, isDigest, type Digest } from "../store/oci/digest.ts";
import { MediaType } from "../store/oci/mediatype.ts";
import { maxDocument } from "../store/oci/parse.ts";
import type { Reference } from "../store/oci/reference.ts";
import { findCredentials, type FoundCredentials } from "./credentials/credentials.ts";
import { endpointsOf, originEndpoints, type Endpoint } from "./endpoints.ts";
import type { RegistryOptions } from "./options.ts";
import { basicHeader, fetchToken, parseChallenges, TokenCache } from "./transport/auth.ts";
import { RegistryError, unexpectedStatus } from "./transport/errors.ts";
import { HttpClient, type HttpAnswer, type HttpRequest } from "./transport/http.ts";
import { retryDelay, wait } from "./transport/retry.ts";

const accepted = [MediaType.ociIndex, MediaType.dockerList, MediaType.ociManifest, MediaType.dockerManifest].join(", ");
const maxRedirects = 5;
const maxTries = 5;

/** A manifest or index as a registry gave it, its digest checked. */
export interface FetchedManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/** Talks to registries by the OCI distribution API. One for a command: it keeps connections and tokens. */
export class RegistryClient implements AsyncDisposable {
  readonly #options: RegistryOptions;
  readonly #http: HttpClient;
  readonly #tokens = new TokenCache();
  readonly #credentials = new Map<string, Promise<FoundCredentials>>();
  readonly #basic = new Set<string>();

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#http = new HttpClient(options);
  }

  /** The manifest or index that a name or digest stands for. @throws RegistryError */
  async manifest(reference: Reference, signal?: AbortSignal): Promise<FetchedManifest> {
    const name = reference.digest ?? reference.tag ?? "latest";
    return await this.#anywhere(reference, async (endpoint) => {
      const request: HttpRequest = { method: "GET", headers: { accept: accepted }, signal };
      const answer = await this.send(endpoint, reference, `/manifests/${name}`, request, "pull");
      if (answer.status !== 200) throw await this.#failure(answer, endpoint, reference, "pull");
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
    const answer = await this.#anywhere(reference, async (endpoint) => {
      const headers: Record<string, string> = offset > 0 ? { range: `bytes=${offset}-` } : {};
      const got = await this.send(
        endpoint,
        reference,
        `/blobs/${desc.digest}`,
        { method: "GET", headers, signal },
        "pull",
      );
      if (got.status === 200 || got.status === 206) return got;
      throw await this.#failure(got, endpoint, reference, "pull");
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
  async send(
    endpoint: Endpoint,
    reference: Reference,
    path: string,
    request: HttpRequest,
    access: "pull" | "push",
  ): Promise<HttpAnswer> {
    const url = path.includes("://") ? path : `${endpoint.url}/v2/${reference.path}${path}`;
    const scope = `repository:${reference.path}:${access === "push" ? "pull,push" : "pull"}`;
    const replayable =
      request.body === undefined || typeof request.body === "string" || request.body instanceof Uint8Array;
    for (let attempt = 0; ; attempt++) {
      const answer = await this.#withRetry(attempt, replayable, request.signal, async () => {
        const authorization = await this.#authorization(endpoint, reference, scope);
        return await this.#follow(endpoint, url, request, authorization);
      });
      if (answer === undefined) continue;
      if (answer.status !== 401 || !replayable) return answer;
      if (attempt > 0 || !(await this.#answerChallenge(answer, endpoint, reference, scope))) return answer;
      await answer.discard();
    }
  }

  /** Makes sure that a push is allowed before a body that can be sent once only is on its way. */
  async authorize(endpoint: Endpoint, reference: Reference, signal?: AbortSignal): Promise<void> {
    const answer = await this.send(
      endpoint,
      reference,
      "/blobs/uploads/",
      { method: "HEAD", headers: {}, signal },
      "push",
    );
    await answer.discard();
  }

  /** The endpoint of a host that answers; pushes go to the host itself, never to a mirror. @throws RegistryError */
  async originEndpoint(reference: Reference, signal?: AbortSignal): Promise<Endpoint> {
    let first: RegistryError | undefined;
    for (const endpoint of originEndpoints(reference.host, this.#options)) {
      try {
        const answer = await this.#http.request(`${endpoint.url}/v2/`, { method: "GET", headers: {}, signal });
        await answer.discard();
        return endpoint;
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof RegistryError)) throw error;
        first ??= error;
      }
    }
    throw first ?? new RangeError("no endpoint");
  }

  async failure(answer: HttpAnswer, endpoint: Endpoint, reference: Reference, act: string): Promise<RegistryError> {
    return await this.#failure(answer, endpoint, reference, act);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#http.close();
  }

  /** Tries the mirrors, then the host; the host's own error is the one that counts. */
  async #anywhere<T>(reference: Reference, act: (endpoint: Endpoint) => Promise<T>): Promise<T> {
    const errors: RegistryError[] = [];
    for (const endpoint of endpointsOf(reference.host, this.#options)) {
      try {
        return await act(endpoint);
      } catch (error) {
        if (!(error instanceof RegistryError)) throw error;
        errors.push(error);
      }
    }
    const answered = errors.find(({ status, code }) => status !== undefined || code === "E_REGISTRY_LIES");
    throw answered ?? errors.at(-1) ?? new RangeError("no endpoint");
  }

  async #failure(answer: HttpAnswer, endpoint: Endpoint, reference: Reference, act: string): Promise<RegistryError> {
    const body = await answer.text();
    const { tried } = await this.#credentialsOf(endpoint, reference);
    const name = `${reference.host}/${reference.path}${reference.tag === undefined ? "" : `:${reference.tag}`}`;
    return unexpectedStatus(`${act} ${name}`, endpoint.url, { status: answer.status, body }, tried);
  }

  async #withRetry(
    attempt: number,
    replayable: boolean,
    signal: AbortSignal | undefined,
    act: () => Promise<HttpAnswer>,
  ): Promise<HttpAnswer | undefined> {
    const more = replayable && attempt + 1 < maxTries;
    try {
      const answer = await act();
      const delay = more ? retryDelay(answer.status, answer.header("retry-after"), attempt) : undefined;
      if (delay === undefined) return answer;
      await answer.discard();
      await wait(delay, signal);
    } catch (error) {
      signal?.throwIfAborted();
      const again =
        error instanceof RegistryError &&
        error.code === "E_REGISTRY_UNREACHABLE" &&
        /ECONNRESET|ETIMEDOUT|EPIPE|other side closed|UND_ERR/.test(error.message);
      if (!again || !more) throw error;
      await wait(retryDelay(503, undefined, attempt) ?? 0, signal);
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
    const origin = new URL(endpoint.url).origin;
    for (let count = 0; count <= maxRedirects; count++) {
      const own = new URL(at).origin === origin && authorization !== undefined ? { authorization } : {};
      const answer = await this.#http.request(at, { ...request, headers: { ...request.headers, ...own } });
      const location = answer.header("location");
      if (![301, 302, 303, 307, 308].includes(answer.status) || location === undefined) return answer;
      await answer.discard();
      at = new URL(location, at).href;
      if (new URL(at).protocol === "http:" && new URL(url).protocol === "https:") {
        throw new RegistryError(`Cannot follow ${new URL(url).host} to ${new URL(at).host}: from https to plain http`, {
          code: "E_REGISTRY_REDIRECT",
        });
      }
    }
    throw new RegistryError(`Cannot follow ${new URL(url).host}: too many redirects`, { code: "E_REGISTRY_REDIRECT" });
  }

  async #authorization(endpoint: Endpoint, reference: Reference, scope: string): Promise<string | undefined> {
    const token = this.#tokens.get(endpoint.url, scope);
    if (token !== undefined) return `Bearer ${token}`;
    if (!this.#basic.has(endpoint.url)) return undefined;
    const { credentials } = await this.#credentialsOf(endpoint, reference);
    return credentials?.kind === "basic" ? basicHeader(credentials.username, credentials.password) : undefined;
  }

  /** Gets what a 401 asks for; false when there is nothing more to give. */
  async #answerChallenge(
    answer: HttpAnswer,
    endpoint: Endpoint,
    reference: Reference,
    scope: string,
  ): Promise<boolean> {
    const challenges = parseChallenges(answer.header("www-authenticate") ?? "");
    const { credentials } = await this.#credentialsOf(endpoint, reference);
    const bearer = challenges.find(({ scheme }) => scheme === "bearer");
    if (bearer !== undefined) {
      if (credentials?.kind === "registry") {
        this.#tokens.set(endpoint.url, scope, credentials.token, undefined);
        return true;
      }
      const found = await fetchToken(bearer, scope, credentials, async (url, init) => {
        const got = await this.#http.request(url, init);
        return { status: got.status, body: await got.text(1 << 20) };
      });
      if (found !== undefined) this.#tokens.set(endpoint.url, scope, found.token, found.expiresIn);
      return found !== undefined;
    }
    if (challenges.length === 0 || credentials?.kind !== "basic" || this.#basic.has(endpoint.url)) return false;
    this.#basic.add(endpoint.url);
    return true;
  }

  /** A mirror's credentials are its own; the host's are never sent to it. */
  async #credentialsOf(endpoint: Endpoint, reference: Reference): Promise<FoundCredentials> {
    const host = endpoint.mirror ? new URL(endpoint.url).host : reference.host;
    const key = `${host}/${reference.path}`;
    const known = this.#credentials.get(key) ?? findCredentials(host, reference.path, this.#options);
    this.#credentials.set(key, known);
    return await known;
  }
}

async function readManifest(answer: HttpAnswer, reference: Reference): Promise<FetchedManifest> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body()) {
    size += chunk.byteLength;
    if (size > maxDocument) throw lying(reference, `its manifest is larger than ${maxDocument} bytes`);
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  const digest = digestOf(bytes);
  const wanted: Digest | undefined = reference.digest ?? headerDigest(answer);
  if (wanted !== undefined && wanted.startsWith("sha256:") && wanted !== digest) {
    throw lying(reference, `the manifest has digest ${digest}, not ${wanted}`);
  }
  const type = (answer.header("content-type") ?? "").split(";")[0]?.trim() ?? "";
  if (type === "text/html") throw lying(reference, "it answered a web page");
  return { descriptor: { mediaType: type, digest, size }, bytes };
}

function headerDigest(answer: HttpAnswer): Digest | undefined {
  const text = answer.header("docker-content-digest") ?? "";
  return isDigest(text) ? text : undefined;
}

function lying(reference: Reference, why: string): TsbuildError {
  return new RegistryError(`Cannot trust the registry's answer for ${reference.host}/${reference.path}: ${why}`, {
    code: "E_REGISTRY_LIES",
    hint: "check what stands between: a proxy, a login page, a broken mirror",
  });
}
