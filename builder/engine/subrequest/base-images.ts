import { errorMessage, TsbuildError } from "../../../native/errors.ts";
import { loadStored } from "../../../store/image/stored.ts";
import type { ImageConfig } from "../../../store/oci/config.ts";
import { writeDocument } from "../../../store/oci/document.ts";
import type { NamedImage } from "../../../store/oci/image.ts";
import { MediaType } from "../../../store/oci/mediatype.ts";
import { newImage } from "../../../store/oci/mutate.ts";
import type { Platform } from "../../../store/oci/platform.ts";
import { familiarName, formatReference, parseReference, type Reference } from "../../../store/oci/reference.ts";
import { peekStore, type StorePeek } from "../../../store/peek.ts";
import { suggest } from "../../base/suggest.ts";
import type { BuildOptions } from "../../options/options.ts";
import { ImageSource } from "../../inputs/source/image/images.ts";
import { layoutDocuments, type LayoutRequest } from "../../inputs/source/image/layout.ts";
import { WorkerPool } from "../../solve/worker/pool.ts";
import type { LookSession } from "./look-session.ts";

/** Why nothing is known of an image that may well be there. */
const unreachable: ReadonlySet<string> = new Set([
  "E_IMAGE_NOT_FOUND",
  "E_REGISTRY_UNREACHABLE",
  "E_REGISTRY_HTTP",
  "E_REGISTRY_TLS",
  "E_REGISTRY_AUTH",
  "E_REGISTRY_RATE",
  "E_REGISTRY_STATUS",
  "E_REGISTRY_LIES",
]);

/** All look-ups together: who waits for a check wants an answer. */
const patience = 15_000;

/** Where images are looked for. */
export interface BaseImageOptions {
  readonly options: Pick<BuildOptions, "root" | "registry" | "pull">;
  readonly session: Pick<LookSession, "store" | "signal">;
}

/**
 * Documents of images: of those in the store, which is not written to, else of registries. An image that nobody can tell
 * of is one that says nothing.
 */
export class BaseImages implements AsyncDisposable {
  /** Configs that stand for those of such images. */
  readonly unknown: WeakSet<ImageConfig> = new WeakSet();
  /** Which they are, and why. */
  readonly notes: string[] = [];
  /** Names that may have been meant. */
  stages: readonly string[] = [];
  readonly #request: BaseImageOptions;
  readonly #peek: StorePeek | undefined;
  readonly #abort = new AbortController();
  readonly #pending = new Set<Promise<unknown>>();
  #source: Promise<ImageSource> | undefined;
  #workers: WorkerPool | undefined;
  #timer: AbortSignal | undefined;

  constructor(request: BaseImageOptions) {
    this.#request = request;
    this.#peek = peekStore(request.options.root);
  }

  /** @throws RegistryError when there is no such image */
  async find(name: string, platform: Platform): Promise<NamedImage> {
    const reference = parseReference(name);
    const { pull = "missing" } = this.#request.options;
    const local = pull === "missing" || pull === "never" ? await this.#local(reference, platform) : undefined;
    if (local !== undefined) return local;
    if (pull === "never") return this.#standIn(reference, platform, "it is not in the store, and pulling is off");
    try {
      return await this.#remote(name, platform);
    } catch (error) {
      this.#request.session.signal.throwIfAborted();
      const late = this.#timer?.aborted === true;
      if (!late && !(error instanceof TsbuildError && unreachable.has(error.code))) throw error;
      const known = pull === "newer" ? await this.#local(reference, platform) : undefined;
      return known ?? this.#standIn(reference, platform, late ? "its registry does not answer" : errorMessage(error));
    }
  }

  async layout(request: Omit<LayoutRequest, "signal">): Promise<NamedImage> {
    return await layoutDocuments({ ...request, signal: this.#request.session.signal });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await Promise.allSettled(this.#pending);
    this.#peek?.[Symbol.dispose]();
    await (await this.#source)?.[Symbol.asyncDispose]();
    await this.#workers?.[Symbol.asyncDispose]();
  }

  async #local(reference: Reference, platform: Platform): Promise<NamedImage | undefined> {
    if (this.#peek === undefined) return undefined;
    try {
      const ref = this.#peek.refs.get(formatReference(reference));
      return ref === undefined ? undefined : await loadStored(this.#peek, ref, platform);
    } catch {
      // Its files are closed for this user, or a build is changing them at this moment: a registry knows as well.
      return undefined;
    }
  }

  async #remote(name: string, platform: Platform): Promise<NamedImage> {
    this.#source ??= this.#openSource();
    const found = (await this.#source).find(name, platform);
    this.#pending.add(found);
    return await found;
  }

  async #openSource(): Promise<ImageSource> {
    const { options, session } = this.#request;
    this.#timer = AbortSignal.timeout(patience);
    this.#workers = new WorkerPool();
    return new ImageSource({
      store: await session.store(),
      policy: "always",
      registry: options.registry ?? {},
      workers: this.#workers,
      signal: AbortSignal.any([session.signal, this.#timer, this.#abort.signal]),
    });
  }

  #standIn(reference: Reference, { os, architecture, variant }: Platform, why: string): NamedImage {
    const name = formatReference(reference);
    const config: ImageConfig = {
      os,
      architecture,
      ...(variant === undefined ? {} : { variant }),
      config: {},
      rootfs: { type: "layers", diff_ids: [] },
    };
    this.unknown.add(config);
    const near = suggest(familiarName(name).replace(/:latest$/, ""), this.stages);
    const meant = near === undefined ? "" : ` (did you mean the stage ${near}?)`;
    this.notes.push(`${name} could not be looked up${meant}: ${why}`);
    return { name, ...newImage(writeDocument(MediaType.ociConfig, config), []) };
  }
}
