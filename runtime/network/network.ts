import { readFileSync } from "node:fs";
import { errorMessage, TsbuildError } from "../../native/errors.ts";
import { createNetworkNamespace } from "../../native/netns.ts";
import { inUserNamespace } from "../../native/user-namespace.ts";
import type { NetworkMode, NetworkRequest } from "../container/process.ts";
import { guard } from "./guard.ts";
import { forwardObstacle, type Obstacle } from "./obstacle.ts";
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
  readonly mode: NetworkMode;
  /** Why it is the host's where one of its own was preferred. */
  readonly fallback: Obstacle | undefined;
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
 * proxies; there is no "own" when one of them is on the host's loopback interface, as for name servers.
 * @throws E_NETWORK_OWN, for "own" alone
 */
export async function openNetwork(
  mode: NetworkRequest,
  options: { readonly services?: readonly string[]; readonly host?: NetworkHost } = {},
): Promise<Network> {
  if (mode === "host" || mode === "none") return plainNetwork(mode, undefined);
  const made = await tryOwn(options.host ?? readHost(), options.services ?? []);
  if (!("reason" in made)) return made;
  if (mode === "own-or-host") return plainNetwork("host", made);
  throw new TsbuildError(`Cannot make a network of the container's own: ${made.reason}`, {
    code: "E_NETWORK_OWN",
    hint: `${made.hint}; or --network default takes the host's network`,
  });
}

async function tryOwn(host: NetworkHost, services: readonly string[]): Promise<Network | Obstacle> {
  try {
    return obstacleOf(host, services) ?? (await ownNetwork(host));
  } catch (error) {
    if (!(error instanceof TsbuildError)) throw error;
    return { reason: errorMessage(error), hint: error.hint ?? "see what the kernel lacks: dmesg" };
  }
}

function plainNetwork(mode: "host" | "none", fallback: Obstacle | undefined): Network {
  const kind = mode === "host" ? "host" : "new";
  const host = mode === "host" ? "127.0.0.1" : undefined;
  return { mode, fallback, join: { kind }, subnet: undefined, host, [Symbol.dispose]: () => undefined };
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
    fallback: undefined,
    join: { kind: "path", path: `/proc/${process.pid}/fd/${namespace.fd}` },
    subnet,
    host: subnet.gateway,
    [Symbol.dispose]: () => resources.dispose(),
  };
}

/** Why "own" would not reach anything. */
function obstacleOf(host: NetworkHost, services: readonly string[]): Obstacle | undefined {
  if (inUserNamespace())
    return { reason: "a plain user cannot connect another network to the host's", hint: "build as root" };
  if (host.forwarding.trim() !== "1") {
    return {
      reason: "the host does not forward packets (sysctl net.ipv4.ip_forward is 0)",
      hint: "sudo sysctl -w net.ipv4.ip_forward=1",
    };
  }
  if (defaultRoute(parseRoutes(host.routes)) === undefined)
    return { reason: "the host has no default route", hint: "connect it" };
  const local = "let it listen on another address of the host";
  const [nameserver] = loopbackNameservers(host.resolvConf);
  if (nameserver !== undefined)
    return { reason: `the name server ${nameserver} is on the host's loopback interface`, hint: local };
  const service = services.find(isLoopbackUrl);
  if (service !== undefined)
    return { reason: `${new URL(service).host} is on the host's loopback interface`, hint: local };
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
