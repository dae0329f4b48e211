import { BlockList, isIP } from "node:net";
import { configError } from "./config-error.ts";
import { proxyVariable, variableFor, variableOf, type Environment } from "./proxy-variable.ts";

/** A proxy, and the variable that names it. */
export interface Proxy {
  readonly url: string;
  readonly variable: string;
}

/**
 * Which proxy a URL is asked through, as programs in Go do it: HTTP_PROXY for http and HTTPS_PROXY for https alone, none
 * for this machine and for what NO_PROXY has. @see golang.org/x/net/http/httpproxy
 */
export class Proxies {
  readonly #env: Environment;
  #exceptions: Exceptions | undefined;

  constructor(env: Environment = {}) {
    this.#env = env;
  }

  /** undefined: the server itself. @throws E_REGISTRY_CONFIG */
  for(url: URL): Proxy | undefined {
    const name = variableFor(url);
    const found = variableOf(this.#env, name);
    if (found === undefined || this.excluded(url)) return undefined;
    if (name === "HTTP_PROXY" && (this.#env["REQUEST_METHOD"] ?? "") !== "") {
      // There a client's header Proxy: becomes the variable.
      throw configError(
        found.name,
        "REQUEST_METHOD is set, as for a CGI program, which any client gives this variable",
        {
          hint: `unset REQUEST_METHOD, or leave ${found.name} out`,
        },
      );
    }
    return { url: proxyUrl(found.name, found.value), variable: found.name };
  }

  /** Whether NO_PROXY has it, or it is this machine, which no proxy knows. */
  excluded(url: URL): boolean {
    if (isThisMachine(url)) return true;
    const text = proxyVariable(this.#env, "NO_PROXY");
    if (text === undefined) return false;
    this.#exceptions ??= new Exceptions(text);
    const { hostname, port, protocol } = url;
    return this.#exceptions.has(plainHost(hostname), port === "" ? (protocol === "https:" ? "443" : "80") : port);
  }

  /** The way to a URL that did not answer, where a proxy is or might have been in it. */
  note(url: URL): string | undefined {
    const found = variableOf(this.#env, variableFor(url));
    if (found === undefined || isThisMachine(url)) return undefined;
    return this.excluded(url) ? `without the proxy of ${found.name}, by NO_PROXY` : proxyWords(found.name, found.value);
  }
}

/** How a proxy is told of: its URL may hold a password. */
function proxyWords(name: string, value: string): string {
  return `by the proxy ${URL.parse(proxyUrl(name, value))?.host ?? name} (${name})`;
}

/** As everywhere `host:port` means http. */
function proxyUrl(name: string, text: string): string {
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const { protocol, username = "", password = "" } = URL.parse(url) ?? {};
  const web = protocol === "http:" || protocol === "https:";
  if (web && [username, password].every(isDecodable)) return url;
  const why = web
    ? "what is before its @ has a % that stands for nothing"
    : `a proxy of ${protocol}// is not supported`;
  // The value may hold a password.
  throw configError(name, protocol === undefined ? "it is not a URL" : why, {
    hint: web ? `write %25 for % in ${name}` : `${name}=http://host:port`,
  });
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** localhost, 127.0.0.0/8 and ::1: no more, for a proxy may know other addresses and names. */
function isThisMachine({ hostname }: URL): boolean {
  const host = plainHost(hostname);
  return (
    host === "localhost" ||
    host === "::1" ||
    (isIP(host) === 4 && host.startsWith("127.")) ||
    /^::ffff:7f[0-9a-f]{2}:/.test(host)
  );
}

function plainHost(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, "").toLowerCase();
}

/** NO_PROXY: domains with what is below them, addresses, networks, each with a port or without. */
class Exceptions {
  readonly #everything: boolean;
  readonly #networks = new BlockList();
  readonly #addresses: { readonly address: string; readonly port: string }[] = [];
  readonly #domains: { readonly suffix: string; readonly itself: boolean; readonly port: string }[] = [];

  constructor(text: string) {
    const entries = text.split(",").map((one) => one.trim().toLowerCase());
    this.#everything = entries.includes("*");
    for (const entry of entries) if (!this.#addNetwork(entry)) this.#addHost(entry);
  }

  has(host: string, port: string): boolean {
    if (this.#everything) return true;
    const family = isIP(host);
    const fits = (one: { readonly port: string }): boolean => one.port === "" || one.port === port;
    if (family !== 0 && this.#networks.check(host, family === 4 ? "ipv4" : "ipv6")) return true;
    if (family !== 0 && this.#addresses.some((one) => one.address === host && fits(one))) return true;
    return this.#domains.some(
      (one) => (host.endsWith(one.suffix) || (one.itself && host === one.suffix.slice(1))) && fits(one),
    );
  }

  #addNetwork(entry: string): boolean {
    const [, address = "", bits = ""] = /^(.+)\/(\d{1,3})$/.exec(entry) ?? [];
    const family = isIP(address);
    if (family === 0 || Number(bits) > (family === 4 ? 32 : 128)) return false;
    this.#networks.addSubnet(address, Number(bits), family === 4 ? "ipv4" : "ipv6");
    return true;
  }

  #addHost(entry: string): void {
    const [, bracketed, plain = entry, port = ""] = /^(?:\[(.+)\]|([^:]*))(?::([^:]*))?$/.exec(entry) ?? [];
    const host = bracketed ?? plain;
    if (host === "") return;
    if (isIP(host) !== 0) {
      this.#addresses.push({ address: canonicalAddress(host), port });
      return;
    }
    const suffix = host.replace(/^\*(?=\.)/, "");
    const itself = !suffix.startsWith(".");
    this.#domains.push({ suffix: itself ? `.${suffix}` : suffix, itself, port });
  }
}

/** As a URL has it: one form of each IPv6 address. */
function canonicalAddress(host: string): string {
  return isIP(host) === 6 ? (URL.parse(`http://[${host}]`)?.hostname.slice(1, -1) ?? host) : host;
}
