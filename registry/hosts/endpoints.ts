import type { Reference } from "../../store/oci/reference.ts";
import type { TlsOptions } from "../http/tls.ts";
import { configError } from "../http/config-error.ts";
import type { HostConfig } from "./host-config.ts";
import type { HostCapability, HostEntry } from "./hosts-toml.ts";
import type { RegistryLocation, RegistryRule } from "./registries-conf.ts";
import type { RegistryOptions } from "../options.ts";
import { RegistryError } from "../errors.ts";

/** The API of docker.io is on another host than its name. */
const aliases: ReadonlyMap<string, string> = new Map([["docker.io", "registry-1.docker.io"]]);

/** Whether a host is this machine, where plain http is nobody else's to read. */
export function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/.test(host);
}

function isInsecure({ insecure = [] }: RegistryOptions, host: string): boolean {
  return insecure.includes(host) || insecure.includes("*");
}

/** One place that may have a repository. */
export interface Endpoint {
  /** The API's root: `https://registry-1.docker.io/v2`. */
  readonly api: string;
  /** The repository's name there: `library/debian`. */
  readonly repository: string;
  /** Whose credentials it gets: `docker.io`. A mirror's are its own, the host's are never sent to it. */
  readonly host: string;
  readonly mirror: boolean;
  readonly tls: TlsOptions | undefined;
  /** Sent with every request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Tells a mirror of many registries which one is meant. */
  readonly namespace: string | undefined;
}

/** What is asked for: a name's digest, content by its digest, or to take content. */
export type Act = HostCapability;

/**
 * Where a repository is looked for, in order: mirrors, then the host itself. Mirrors of the options come first, then
 * those of the image's `[[registry]]`, or without one of its host's hosts.toml.
 * @throws E_REGISTRY_BLOCKED, E_REGISTRY_CONFIG
 */
export function endpointsOf(
  reference: Reference,
  act: Act,
  { options, config }: { readonly options: RegistryOptions; readonly config: HostConfig },
): readonly Endpoint[] {
  const maker = new EndpointMaker(reference, options, config);
  const { host, path } = reference;
  const found = config.rule(`${host}/${path}`);
  if (found?.rule.blocked === true) throw blocked(reference, found.rule);
  const mirrors = act === "push" ? [] : (new Map(Object.entries(options.mirrors ?? {})).get(host) ?? []);
  const own = mirrors.map((url) => maker.mirrorUrl(url));
  if (found !== undefined) return [...own, ...maker.ofRule(found.rule, found.matched, act)];
  return [...own, ...maker.ofHostsFile(act)];
}

/**
 * Where a login is checked: at the host itself. Who is asked for its images in its place is not told its credentials.
 * @throws E_REGISTRY_BLOCKED, E_REGISTRY_CONFIG
 */
export function loginEndpoints(
  host: string,
  settings: { readonly options: RegistryOptions; readonly config: HostConfig },
): readonly Endpoint[] {
  const reference = { host, path: "", tag: undefined, digest: undefined };
  const own = endpointsOf(reference, "push", settings).filter((one) => one.host === host);
  return own.length > 0 ? own : new EndpointMaker(reference, settings.options, settings.config).itself();
}

class EndpointMaker {
  readonly #reference: Reference;
  readonly #options: RegistryOptions;
  readonly #config: HostConfig;

  constructor(reference: Reference, options: RegistryOptions, config: HostConfig) {
    this.#reference = reference;
    this.#options = options;
    this.#config = config;
  }

  /** A mirror of the options: a URL, the API below its path. */
  mirrorUrl(text: string): Endpoint {
    const { host, username, password } = new URL(text);
    // They would be in every message and record that names the mirror.
    if (username !== "" || password !== "")
      throw configError(`the mirror ${host}`, "its URL has a user or a password", { hint: `tsbuild login ${host}` });
    const verify = !isInsecure(this.#options, host);
    return {
      api: `${text.replace(/\/+$/, "")}/v2`,
      repository: this.#reference.path,
      host,
      mirror: true,
      tls: this.#config.tls(host, { verify }),
      headers: {},
      namespace: undefined,
    };
  }

  itself(): readonly Endpoint[] {
    return this.#origin(this.#reference.host, this.#reference.path, {});
  }

  ofRule(rule: RegistryRule, matched: number, act: Act): readonly Endpoint[] {
    const { host, path, digest } = this.#reference;
    const rest = `${host}/${path}`.slice(matched);
    const at = (place: RegistryLocation, mirror: boolean): readonly Endpoint[] => {
      const [name = "", ...parts] = (place.location === "" ? `${host}/${path}` : place.location + rest).split("/");
      const insecure = place.insecure || (!mirror && isInsecure(this.#options, host));
      return this.#origin(name, parts.join("/"), { mirror, insecure });
    };
    const wanted = digest === undefined ? "tag-only" : "digest-only";
    const mirrors = act === "push" ? [] : rule.mirrors;
    return [
      ...mirrors
        .filter(({ pullFromMirror }) => pullFromMirror === "all" || pullFromMirror === wanted)
        .flatMap((mirror) => at(mirror, true)),
      ...at(rule, false),
    ];
  }

  ofHostsFile(act: Act): readonly Endpoint[] {
    const { host, path } = this.#reference;
    const file = this.#config.hostsFile(host);
    const mirrors = (file?.hosts ?? []).filter(({ capabilities }) => isAble(capabilities, act));
    const server = file?.server;
    const last = server === undefined ? this.#origin(host, path, {}) : [this.#entry(server, false)];
    return [...mirrors.map((entry) => this.#entry(entry, true)), ...last];
  }

  #entry(entry: HostEntry, mirror: boolean): Endpoint {
    const { host: name, path } = this.#reference;
    const { host } = new URL(entry.origin);
    const own = host === (aliases.get(name) ?? name);
    const verify = !entry.skipVerify && !isInsecure(this.#options, host);
    return {
      api: `${entry.origin}${entry.root}`,
      repository: path,
      host: own ? name : host,
      mirror,
      tls: this.#config.tls(own ? name : host, { verify, more: { ca: entry.ca, clients: entry.clients } }),
      headers: entry.headers,
      namespace: own ? undefined : name,
    };
  }

  /** A host by https, and by plain http where that was allowed or is this machine. */
  #origin(
    host: string,
    repository: string,
    { mirror = false, insecure = false }: { readonly mirror?: boolean; readonly insecure?: boolean },
  ): readonly Endpoint[] {
    // An image's name may have more ports and addresses than there are.
    if (!URL.canParse(`https://${host}/`)) throw nowhere(host);
    const allowed = insecure || isInsecure(this.#options, host);
    const own = this.#config.tls(host, { verify: true });
    // On loopback a registry without TLS is the rule, unless certificates were given for it. A server that does not
    // speak TLS says so at once; one that does might drop plain http without a word.
    const lax = allowed || (own === undefined && isLoopback(host));
    const schemes = lax ? ["https", "http"] : ["https"];
    const verify = !lax;
    const tls = verify ? own : this.#config.tls(host, { verify });
    return schemes.map((scheme) => ({
      api: `${scheme}://${aliases.get(host) ?? host}/v2`,
      repository,
      host,
      mirror,
      tls,
      headers: {},
      namespace: undefined,
    }));
  }
}

/** Nothing is pushed to a mirror that does not say that it takes it. */
function isAble(capabilities: readonly HostCapability[] | undefined, act: Act): boolean {
  return capabilities === undefined ? act !== "push" : capabilities.includes(act);
}

function nowhere(host: string): RegistryError {
  return new RegistryError(`Cannot connect to ${host}: invalid host or port`, {
    code: "E_REGISTRY_UNREACHABLE",
    hint: "check the name of the image: a port is a number up to 65535, an address has four up to 255",
  });
}

function blocked({ host, path }: Reference, { prefix, file }: RegistryRule): RegistryError {
  return new RegistryError(`Cannot use ${host}/${path}: ${file} blocks ${prefix}`, {
    code: "E_REGISTRY_BLOCKED",
    hint: `take another registry, or remove blocked = true of ${prefix} from ${file}`,
  });
}
