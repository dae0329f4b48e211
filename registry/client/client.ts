import type { Descriptor } from "../../store/oci/descriptor.ts";
import { MediaType } from "../../store/oci/mediatype.ts";
import type { Reference } from "../../store/oci/reference.ts";
import { checkBlob, OtherDigestError, readManifest, type FetchedManifest } from "./answers.ts";
import { endpointsOf, type Act, type Endpoint } from "../hosts/endpoints.ts";
import { HostConfig } from "../hosts/host-config.ts";
import type { RegistryOptions } from "../options.ts";
import type { RepositoryRequest, Sender, Sent } from "../transport/sender.ts";
import { RegistryError } from "../errors.ts";
import type { Retries } from "../http/retry.ts";

const accepted = [MediaType.ociIndex, MediaType.dockerList, MediaType.ociManifest, MediaType.dockerManifest].join(", ");

/** Talks to registries by the OCI distribution API. One for a command: it keeps connections and tokens. */
export class RegistryClient implements AsyncDisposable {
  readonly #options: RegistryOptions;
  /** Loaded with the first request: a build that finds everything never pays for it. */
  #sender: Promise<Sender> | undefined;
  readonly #config: HostConfig;
  /** Mirrors that nobody answers at: to wait for them once is enough. */
  readonly #silent = new Set<string>();
  /** What a host is known to speak. */
  readonly #protocols = new Map<string, string>();

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#config = new HostConfig(options.files);
  }

  /** The manifest or index that a name or digest stands for. @throws RegistryError */
  async manifest(reference: Reference, signal?: AbortSignal): Promise<FetchedManifest> {
    const name = reference.digest ?? reference.tag ?? "latest";
    this.#config.checkPolicy(reference);
    return await this.#anywhere(reference, reference.digest === undefined ? "resolve" : "pull", async (endpoint) => {
      const ask = async (): Promise<FetchedManifest> => {
        const at = `/manifests/${name}`;
        const sent = await this.send(endpoint, {
          method: "GET",
          at,
          access: "pull",
          headers: { accept: accepted },
          signal,
        });
        if (sent.answer.status !== 200) throw await this.failure(sent, endpoint, reference, "pull");
        return await readManifest(sent.answer, reference);
      };
      // A byte that was turned on the way is not there the second time.
      return await ask().catch(async (error: unknown) => {
        if (!(error instanceof OtherDigestError)) throw error;
        return await ask();
      });
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
      const at = `/blobs/${desc.digest}`;
      const sent = await this.send(endpoint, { method: "GET", at, access: "pull", headers, signal });
      const got = sent.answer;
      if (![200, 206, 416].includes(got.status)) throw await this.failure(sent, endpoint, reference, "pull");
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
  async send(endpoint: Endpoint, request: RepositoryRequest): Promise<Sent> {
    return await (await this.#sending()).send(endpoint, request);
  }

  /** The endpoint of a host that answers; pushes go to the host itself, or where a hosts.toml sends them. @throws RegistryError */
  async originEndpoint(reference: Reference, signal?: AbortSignal): Promise<Endpoint> {
    return await this.#anywhere(reference, "push", async (endpoint) => {
      await (await this.#sending()).probe(endpoint, signal);
      return endpoint;
    });
  }

  /** What another try of a request that cannot be sent again by itself may wait. */
  async retries(endpoint: Endpoint): Promise<Retries> {
    return (await this.#sending()).retries(endpoint);
  }

  async failure(sent: Sent, endpoint: Endpoint, reference: Reference, act: string): Promise<RegistryError> {
    return await (await this.#sending()).failure(sent, endpoint, reference, act);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#sender)?.[Symbol.asyncDispose]();
  }

  async #sending(): Promise<Sender> {
    this.#sender ??= import("../transport/sender.ts").then(({ Sender: Made }) => new Made(this.#options, this.#config));
    return await this.#sender;
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
