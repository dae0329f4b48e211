import type { RegistryOptions } from "./options.ts";

/** The API of docker.io is on another host than its name. */
const aliases: Readonly<Record<string, string>> = { "docker.io": "registry-1.docker.io" };

/** Whether a host is this machine, where plain http is nobody else's to read. */
export function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/.test(host);
}

/** One place that may have a registry's content. */
export interface Endpoint {
  /** `https://registry-1.docker.io`, without a trailing slash; a mirror may have a path. */
  readonly url: string;
  readonly mirror: boolean;
}

/** Where a host's images are looked for, in order: its mirrors, then itself. */
export function endpointsOf(host: string, options: RegistryOptions): readonly Endpoint[] {
  const mirrors = (options.mirrors?.[host] ?? []).map((url) => ({ url: url.replace(/\/+$/, ""), mirror: true }));
  return [...mirrors, ...originEndpoints(host, options)];
}

/** The host itself: https, and plain http where it was allowed or is this machine. */
export function originEndpoints(host: string, options: RegistryOptions): readonly Endpoint[] {
  const name = aliases[host] ?? host;
  const insecure = options.insecure?.includes(host) === true;
  // On loopback a registry without TLS is the rule: ask it first.
  const schemes = isLoopback(host) ? ["http", "https"] : insecure ? ["https", "http"] : ["https"];
  return schemes.map((scheme) => ({ url: `${scheme}://${name}`, mirror: false }));
}
