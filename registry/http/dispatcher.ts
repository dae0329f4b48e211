import type { LookupAddress, LookupOptions } from "node:dns";
import type { LookupFunction } from "node:net";
import type { buildConnector, Dispatcher } from "undici";
import { isReached, NearAddressError, nearnessOf, nearnessOfHost, type Nearness, type Reach } from "./address.ts";
import type { Proxies, Proxy } from "./proxy.ts";
import { secureOptions, type SecureOptions, type TlsOptions } from "./tls.ts";

type Undici = typeof import("undici");

const connectTimeout = 15_000;
const connections = 6;

/** Which connections a request may use. */
export interface Way {
  readonly tls: TlsOptions | undefined;
  readonly reach: Reach;
}

/** Connections, kept apart by how servers are trusted, by proxy, and by what addresses they may be to. */
export class Dispatchers {
  readonly #undici: Undici;
  readonly #proxies: Proxies;
  readonly #opened: Dispatcher[] = [];
  readonly #known = new Map<TlsOptions | undefined, Map<string, Dispatcher>>();
  /** Where connections really led to, by host and port. */
  readonly #led = new Map<string, Nearness>();
  /** Names of servers that were met in the network. */
  readonly #far = new Set<string>();
  /** The authorities that the machine trusts are read when those of Node's do not do: that takes 50 ms. */
  #systemTrust = false;

  constructor(undici: Undici, proxies: Proxies) {
    this.#undici = undici;
    this.#proxies = proxies;
  }

  get systemTrust(): boolean {
    return this.#systemTrust;
  }

  trustSystem(): void {
    if (!this.#systemTrust) this.#known.clear();
    this.#systemTrust = true;
  }

  /** @throws NearAddressError, E_REGISTRY_CONFIG */
  for(url: URL, { tls, reach }: Way): Dispatcher {
    if (!isReached(nearnessOfHost(url.hostname), reach)) throw new NearAddressError(url.hostname);
    const proxy = this.#proxies.for(url);
    const key = proxy === undefined ? reach : `proxy ${proxy.url}`;
    const kept = this.#known.get(tls) ?? new Map<string, Dispatcher>();
    this.#known.set(tls, kept);
    const known = kept.get(key);
    if (known !== undefined) return known;
    const secure = secureOptions(tls, this.#systemTrust);
    const made = proxy === undefined ? this.#direct(secure, reach) : this.#through(proxy, secure);
    kept.set(key, made);
    this.#opened.push(made);
    return made;
  }

  /** How near the server of a URL is that was asked; by a proxy only its name tells. */
  nearness(url: URL): Nearness {
    return this.#led.get(placeOf(url.hostname, portOf(url))) ?? nearnessOfHost(url.hostname);
  }

  async close(): Promise<void> {
    await Promise.all(this.#opened.splice(0).map(async (one) => await one.destroy()));
  }

  #direct(secure: SecureOptions, reach: Reach): Dispatcher {
    // Who says what address a server of the network has may say another one after its first answer.
    const reachOf = (name: string): Reach => (reach === "anywhere" && this.#far.has(name) ? "network" : reach);
    const lookup = lookupWithin(reachOf);
    const connect = this.#undici.buildConnector({ timeout: connectTimeout, ...secure, lookup });
    const noted: buildConnector.connector = (options, callback) =>
      connect(options, (...result: Parameters<typeof callback>) => {
        const [error, socket] = result;
        if (error === null) this.#note(options, socket.remoteAddress ?? "");
        callback(...result);
      });
    return new this.#undici.Agent({ connect: noted, connections });
  }

  /** A server once met in the network is not taken for one of this machine later. */
  #note({ hostname, port, protocol }: buildConnector.Options, address: string): void {
    const place = placeOf(hostname, port === "" ? (protocol === "https:" ? "443" : "80") : port);
    const nearness = nearnessOf(address);
    if (nearness === "far") this.#far.add(hostname);
    if (nearness === "far" || !this.#led.has(place)) this.#led.set(place, nearness);
  }

  /** A client's certificate is for the server, not for the proxy. */
  #through({ url }: Proxy, secure: SecureOptions): Dispatcher {
    const proxyTls = secureOptions(undefined, this.#systemTrust);
    return new this.#undici.ProxyAgent({ uri: url, requestTls: secure, proxyTls, connectTimeout, connections });
  }
}

function placeOf(hostname: string, port: string): string {
  return `${hostname.replace(/^\[|\]$/g, "").toLowerCase()} ${port}`;
}

function portOf({ port, protocol }: URL): string {
  return port === "" ? (protocol === "https:" ? "443" : "80") : port;
}

/** Finds only addresses that may be reached: what is connected to is what was looked at. */
function lookupWithin(reachOf: (hostname: string) => Reach): LookupFunction {
  return (hostname, options: LookupOptions, callback) => {
    const dns = process.getBuiltinModule("node:dns");
    const reach = reachOf(hostname);
    dns.lookup(hostname, { ...options, all: true }, (error, found: LookupAddress[]) => {
      if (error !== null) return callback(error, "", 0);
      const [first, ...more] = found.filter(({ address }) => isReached(nearnessOf(address), reach));
      if (first === undefined) return callback(new NearAddressError(found[0]?.address ?? hostname), "", 0);
      if (options.all === true) return callback(null, [first, ...more]);
      return callback(null, first.address, first.family);
    });
  };
}
