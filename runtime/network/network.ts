import { readFileSync } from "node:fs";
import { errorMessage, TsbuildError } from "../../native/errors.ts";
import { createNetworkNamespace } from "../../native/netns.ts";
import { inUserNamespace } from "../../native/user-namespace.ts";
import type { NetworkMode } from "../container/process.ts";
import { guard } from "./guard.ts";
import { forwardObstacle } from "./obstacle.ts";
import { loopbackNameservers } from "./resolv.ts";
import { chooseSubnet, defaultRoute, parseRoutes, type Subnet } from "./subnet.ts";
import { addVeth } from "./veth.ts";

/** What the first process does about the network: stay, make a new namespace, or join the one at the path. */
export type NetworkJoin =
  | { readonly kind: "host" }
  | { readonly kind: "new" }
  | { readonly kind: "path"; readonly path: string };

/**
 * The network of one container. Dispose takes it away, without waiting for the kernel to have done so; when the process
 * is killed, the kernel does it by itself.
 */
export interface Network extends Disposable {
  /** What it really is: "own" becomes "host" where it cannot work. */
  readonly mode: NetworkMode;
  /** Why it is not what was asked for. */
  readonly reason: string | undefined;
  readonly join: NetworkJoin;
  /** Of "own". */
  readonly subnet: Subnet | undefined;
  /** An address of the host as the container sees it; undefined: it sees none. */
  readonly host: string | undefined;
}

/** The host's files that decide about "own"; tests give their own. */
export interface NetworkHost {
  readonly forwarding: string;
  readonly routes: string;
  readonly resolvConf: string;
}

/**
 * The network for one container, never for a second one. "own": a namespace with a veth pair to the host and
 * masquerading; no file or setting of the host is changed for it. `services`: URLs that the container needs, such as
 * proxies; "own" falls back to "host" when one of them is on the host's loopback interface, as for name servers.
 */
export async function openNetwork(
  mode: NetworkMode,
  options: { readonly services?: readonly string[]; readonly host?: NetworkHost } = {},
): Promise<Network> {
  if (mode !== "own") return plainNetwork(mode, undefined);
  try {
    const host = options.host ?? readHost();
    const obstacle = obstacleOf(host, options.services ?? []);
    return obstacle === undefined ? await ownNetwork(host) : plainNetwork("host", obstacle);
  } catch (error) {
    if (error instanceof TsbuildError) return plainNetwork("host", errorMessage(error));
    throw error;
  }
}

function plainNetwork(mode: "host" | "none", reason: string | undefined): Network {
  const kind = mode === "host" ? "host" : "new";
  const host = mode === "host" ? "127.0.0.1" : undefined;
  return { mode, reason, join: { kind }, subnet: undefined, host, [Symbol.dispose]: () => undefined };
}

async function ownNetwork(host: NetworkHost): Promise<Network> {
  using stack = new DisposableStack();
  const routes = parseRoutes(host.routes);
  const subnet = chooseSubnet(routes);
  const namespace = stack.use(await createNetworkNamespace());
  const pair = addVeth(namespace, subnet, defaultRoute(routes)?.device);
  stack.use(guard(pair.host, subnet));
  pair.raise();
  const resources = stack.move();
  return {
    mode: "own",
    reason: undefined,
    join: { kind: "path", path: `/proc/${process.pid}/fd/${namespace.fd}` },
    subnet,
    host: subnet.gateway,
    [Symbol.dispose]: () => resources.dispose(),
  };
}

/** Why "own" would not reach anything. */
function obstacleOf(host: NetworkHost, services: readonly string[]): string | undefined {
  if (inUserNamespace()) return "a plain user cannot connect another network to the host's";
  if (host.forwarding.trim() !== "1") return "the host does not forward packets (sysctl net.ipv4.ip_forward is 0)";
  if (defaultRoute(parseRoutes(host.routes)) === undefined) return "the host has no default route";
  const [nameserver] = loopbackNameservers(host.resolvConf);
  if (nameserver !== undefined) return `the name server ${nameserver} is on the host's loopback interface`;
  const service = services.find(isLoopbackUrl);
  if (service !== undefined) return `${new URL(service).host} is on the host's loopback interface`;
  return forwardObstacle();
}

function isLoopbackUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { hostname } = new URL(text);
  return hostname === "localhost" || hostname.endsWith(".localhost") || /^(?:127\.|\[::1\]$)/.test(hostname);
}

function readHost(): NetworkHost {
  return {
    forwarding: readText("/proc/sys/net/ipv4/ip_forward"),
    routes: readText("/proc/self/net/route"),
    resolvConf: readText("/etc/resolv.conf"),
  };
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
