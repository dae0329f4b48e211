import { openSync } from "node:fs";
import type { HttpClient } from "../../../../registry/http/client.ts";
import type { FetchedFile } from "../../../../store/fetched.ts";
import type { Store } from "../../../../store/store.ts";
import type { RegistryOptions } from "../../../../registry/index.ts";
import type { SecretSource } from "../../secrets/secrets.ts";
import type { SourceProgress } from "../progress.ts";
import type { UrlCredentials } from "../url-credentials.ts";
import { authorizationFor } from "./authorization.ts";
import { checksumOfFile, wrongChecksum } from "./checksum.ts";
import { httpDate } from "../../../../registry/http/http-date.ts";

/** What is fetched: a URL without user and password, and what its content has to be. */
export interface UrlSpec {
  readonly url: string;
  /** `sha256:...`, sha384 or sha512. */
  readonly checksum?: string;
}

/** Milliseconds: a server may make the file when it is asked for it. */
const patience = 60_000;

/** What the sources of a build work with. */
export interface HttpSourceOptions {
  readonly store: Store;
  readonly registry: Pick<RegistryOptions, "env">;
  readonly secrets: SecretSource;
  readonly credentials: UrlCredentials;
}

/**
 * Files from URLs, kept in the store: one that did not change is not downloaded again, and one with a checksum that was
 * fetched before needs no server at all. A URL is asked once in a build, so that all of it sees one content.
 */
export class HttpSource implements AsyncDisposable {
  readonly #options: HttpSourceOptions;
  /** Loaded with the first request: a build without URLs never pays for it. */
  #http: Promise<HttpClient> | undefined;
  readonly #asked = new Map<string, Promise<FetchedFile>>();

  constructor(options: HttpSourceOptions) {
    this.#options = options;
  }

  /** A digest that names the content; no request is made where the checksum is one. @throws UrlError */
  async identify(spec: UrlSpec, progress: SourceProgress): Promise<string> {
    return spec.checksum ?? (await this.#ask(spec, progress)).digest;
  }

  /** The content is in the store then, and is what the checksum says. @throws UrlError */
  async fetch(spec: UrlSpec, progress: SourceProgress): Promise<FetchedFile> {
    const { url, checksum } = spec;
    if (checksum === undefined) return await this.#ask(spec, progress);
    const known = await this.#known(url);
    if (known !== undefined && this.#sum(known, checksum) === checksum) return known;
    const file = await this.#ask(spec, progress);
    const sum = this.#sum(file, checksum);
    if (sum !== checksum) throw wrongChecksum(url, checksum, sum);
    return file;
  }

  /** A descriptor of the content; the caller closes it. */
  open(file: FetchedFile): number {
    return openSync(this.path(file), "r");
  }

  /** The file with the content, for reading only. */
  path(file: FetchedFile): string {
    return this.#options.store.content.path(file.digest);
  }

  /** Ends the requests that nobody waits for any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#http)?.close();
    await Promise.allSettled(this.#asked.values());
  }

  #ask(spec: UrlSpec, progress: SourceProgress): Promise<FetchedFile> {
    const asked = this.#asked.get(spec.url) ?? this.#download(spec, progress);
    this.#asked.set(spec.url, asked);
    return asked;
  }

  async #download({ url, checksum }: UrlSpec, progress: SourceProgress): Promise<FetchedFile> {
    const { store, secrets, credentials } = this.#options;
    const { signal } = progress;
    const known = await this.#known(url);
    const authorization = await authorizationFor(url, secrets, credentials);
    const { content } = store;
    this.#http ??= openHttp(this.#options.registry);
    const [http, { download }] = await Promise.all([this.#http, import("./download.ts")]);
    const moved = (current: number, total: number): void => progress.moved("download", current, total);
    const act = async (): Promise<FetchedFile> =>
      await download({ http, content, url, authorization, checksum, known, moved, signal });
    const file = await progress.during(act, (got) => got === known);
    if (file !== known) store.fetched.keep(url, file);
    return file;
  }

  async #known(url: string): Promise<FetchedFile | undefined> {
    const { fetched, content } = this.#options.store;
    const file = fetched.find(url);
    return file === undefined || (await content.stat(file.digest))?.size !== file.size ? undefined : file;
  }

  #sum(file: FetchedFile, like: string): string {
    if (like.startsWith("sha256:")) return file.digest;
    return checksumOfFile(this.path(file), like);
  }
}

async function openHttp(options: HttpSourceOptions["registry"]): Promise<HttpClient> {
  const { HttpClient: Made } = await import("../../../../registry/http/client.ts");
  const { noAnswer } = await import("./errors.ts");
  return new Made({ ...options, patience }, noAnswer);
}

/** Nanoseconds since the epoch of Last-Modified; 0 when the server did not say. */
export function modifiedTime(file: FetchedFile): bigint {
  return BigInt(httpDate(file.lastModified) ?? 0) * 1_000_000n;
}
