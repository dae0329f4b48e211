import type { Relay } from "./relay.ts";
import { isLoopbackAddress } from "./resolv.ts";

/** Those on the host's loopback interface; the same one is named by several variables. */
export function serviceRelays(urls: readonly string[]): readonly Relay[] {
  const relays = urls.flatMap(serviceRelay);
  return [...new Map(relays.map((relay) => [`${relay.inside.address} ${relay.port}`, relay])).values()];
}

/** It is at the same address inside. */
function serviceRelay(text: string): readonly Relay[] {
  // As curl has it, a proxy without a scheme is one of http.
  const url = text.includes("://") ? text : `http://${text}`;
  if (!URL.canParse(url)) return [];
  const { hostname, port, protocol } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const named = host === "localhost" || host.endsWith(".localhost");
  if (!named && !isLoopbackAddress(host)) return [];
  const number = Number(port === "" ? (defaultPorts.get(protocol) ?? 0) : port);
  const address = host.includes(":") ? "::1" : named ? "127.0.0.1" : host;
  return number === 0 ? [] : [{ inside: { kind: "tcp", address, port: number }, host, port: number }];
}

const defaultPorts: ReadonlyMap<string, number> = new Map([
  ["http:", 80],
  ["https:", 443],
  ["socks5:", 1080],
  ["socks5h:", 1080],
]);

/** Starts them on the sockets that were bound for them; nearly no network needs one. */
export async function openRelays(sockets: readonly number[], relays: readonly Relay[]): Promise<readonly Disposable[]> {
  if (relays.length === 0) return [];
  const { openRelay } = await import("./relay.ts");
  return relays.flatMap((relay, at) => {
    const fd = sockets[at];
    return fd === undefined ? [] : [openRelay(fd, relay)];
  });
}
