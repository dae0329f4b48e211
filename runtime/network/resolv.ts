import { isIP, isIPv4 } from "node:net";
import type { Relay } from "./relay.ts";

/** How a network of a container's own resolves names. */
export interface Resolution {
  /** Its resolv.conf; undefined: the host's as it is. */
  readonly text: string | undefined;
  /** Name servers of the host that it reaches by us alone. */
  readonly relays: readonly Relay[];
}

/** The C library asks no more. */
const mostServers = 3;
const dnsPort = 53;
/** Where systemd-resolved answers, which keeps the servers that it asks in a file for those who cannot reach it. */
const resolvedStubs: readonly string[] = ["127.0.0.53", "127.0.0.54"];
const anyAddress: readonly string[] = ["0.0.0.0", "::"];

/**
 * The host's name servers, as they can be asked from a network with IPv4 alone and a loopback interface of its own: those
 * that it reaches, else, as docker does, those that systemd-resolved asks (`resolvedText`), else the host's through us, at
 * the address where the host has them. @see resolv.conf(5)
 */
export function resolution(hostText: string, resolvedText: string): Resolution {
  const servers = nameservers(hostText);
  if (servers.some(isReachable))
    return { text: servers.every(isReachable) ? undefined : reachable(hostText), relays: [] };
  if (servers.some((server) => resolvedStubs.includes(server)) && nameservers(resolvedText).some(isReachable))
    return { text: reachable(resolvedText), relays: [] };
  // Without a name server the one on this machine is asked.
  const asked = servers.length === 0 ? ["127.0.0.1"] : servers.slice(0, mostServers);
  const inside = new Map(asked.map((server) => [insideOf(server), server]));
  const relays = [...inside].flatMap(([address, host]) =>
    (["udp", "tcp"] as const).map((kind) => ({ inside: { kind, address, port: dnsPort }, host, port: dnsPort })),
  );
  const same = asked.every((server) => insideOf(server) === server);
  return { text: same ? undefined : withServers(hostText, [...inside.keys()]), relays };
}

/** Where a server that the container cannot reach is to be found inside. */
function insideOf(server: string): string {
  return isLoopbackAddress(server) && !anyAddress.includes(server) ? server : "127.0.0.1";
}

function isReachable(server: string): boolean {
  return isIPv4(server) && !isLoopbackAddress(server);
}

/** Addresses at which only the host itself can be reached. */
export function isLoopbackAddress(address: string): boolean {
  return /^(?:127\.|::1(?:%|$))/.test(address) || anyAddress.includes(address);
}

function reachable(text: string): string {
  return lines(text, (server) => isReachable(server));
}

/** The text with these in place of its own. */
export function withServers(text: string, servers: readonly string[]): string {
  return [...servers.map((server) => `nameserver ${server}`), lines(text, () => false)].join("\n");
}

function lines(text: string, keep: (server: string) => boolean): string {
  const kept = text.split("\n").filter((line) => {
    const server = nameserver(line);
    return server === undefined || keep(server);
  });
  return kept.join("\n");
}

function nameservers(text: string): readonly string[] {
  const named = text.split("\n").flatMap((line) => nameserver(line) ?? []);
  return named.map((server) => server.replace(/^::1%.*/, "::1")).filter((server) => isIP(server) !== 0);
}

function nameserver(line: string): string | undefined {
  return /^nameserver[ \t]+(\S+)/.exec(line)?.[1];
}
