import { readFileSync } from "node:fs";
import { errorMessage, TsbuildError } from "../../native/errors.ts";
import { createNetworkNamespace } from "../../native/netns.ts";
import { inUserNamespace } from "../../native/user-namespace.ts";
import type { NetworkMode, NetworkRequest, Obstacle } from "../spec/network.ts";
import { guard } from "./guard.ts";
import { forwardObstacle } from "./obstacle.ts";
import { isForwarded, probeSocket } from "./probe.ts";
import { resolution } from "./resolv.ts";
import { openRelays, serviceRelays } from "./services.ts";
import { hasUserWay, openUserWay } from "./slirp.ts";
import { chooseSubnet, defaultRoute, hasDefaultRoute6, parseRoutes, type Subnet } from "./subnet.ts";
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
  /** The text of its resolv.conf where that cannot be the host's. */
  readonly resolvConf: string | undefined;
}

/** The host's files that decide about "own"; tests give their own. */
export interface NetworkHost {
  /** Of the interface by which packets leave. */
  readonly forwarding: string;
  readonly routes: string;
  readonly ipv6Routes: string;
  readonly resolvConf: string;
  /** The servers that systemd-resolved asks. */
  readonly resolved: string;
  /** Whether a program could do it. */
  readonly userWay: boolean;
}

/**
 * The network for one container, never for a second one. "own": a namespace with a veth pair to the host and
 * masquerading, or one that slirp4netns serves; no file or setting of the host is changed for it. `services`: URLs that the container needs, such as
 * proxies: those on the host's loopback interface are at the same address inside, as are name servers.
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

/** By the host's kernel, else by a program that needs nothing of the host. */
async function tryOwn(host: NetworkHost, services: readonly string[]): Promise<Network | Obstacle> {
  const made = await tried(async () => obstacleOf(host) ?? (await ownNetwork(host, services)));
  if (!("reason" in made) || !host.userWay) return made;
  const byUser = await tried(async () => await userNetwork(host, services));
  if (!("reason" in byUser)) return byUser;
  return { reason: `${made.reason}; ${byUser.reason}`, hint: made.hint };
}

async function tried(make: () => Promise<Network | Obstacle>): Promise<Network | Obstacle> {
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof TsbuildError)) throw error;
    return { reason: errorMessage(error), hint: error.hint ?? "see what the kernel lacks: dmesg" };
  }
}

/** By slirp4netns, which has the host's name servers; it does not lead to the host itself. */
async function userNetwork(host: NetworkHost, services: readonly string[]): Promise<Network> {
  using stack = new DisposableStack();
  const relays = serviceRelays(services);
  const namespace = stack.use(await createNetworkNamespace(relays.map(({ inside }) => inside)));
  for (const relay of await openRelays(namespace.sockets, relays)) stack.use(relay);
  const way = stack.use(await openUserWay(namespace, host.resolvConf));
  const resources = stack.move();
  return {
    mode: "own",
    fallback: undefined,
    join: { kind: "path", path: `/proc/${process.pid}/fd/${namespace.fd}` },
    subnet: undefined,
    host: undefined,
    resolvConf: way.resolvConf,
    [Symbol.dispose]: () => resources.dispose(),
  };
}

function plainNetwork(mode: "host" | "none", fallback: Obstacle | undefined): Network {
  const kind = mode === "host" ? "host" : "new";
  const host = mode === "host" ? "127.0.0.1" : undefined;
  return {
    mode,
    fallback,
    join: { kind },
    subnet: undefined,
    host,
    resolvConf: undefined,
    [Symbol.dispose]: () => undefined,
  };
}

const tunHint = "let users have /dev/net/tun, and slirp4netns: sudo apt install slirp4netns";

/** Firewalls that were seen to drop what is forwarded, by the reason: each is tried once. */
const closed = new Set<string>();

async function ownNetwork(host: NetworkHost, services: readonly string[]): Promise<Network | Obstacle> {
  const suspect = forwardObstacle();
  if (suspect !== undefined && closed.has(suspect.reason)) return suspect;
  using stack = new DisposableStack();
  const routes = parseRoutes(host.routes);
  const subnet = chooseSubnet(routes);
  const { text, relays: nameServers } = resolution(host.resolvConf, host.resolved);
  const relays = [...nameServers, ...serviceRelays(services)];
  const inside = [...relays.map((relay) => relay.inside), ...(suspect === undefined ? [] : [probeSocket])];
  const namespace = stack.use(await createNetworkNamespace(inside));
  for (const relay of await openRelays(namespace.sockets, relays)) stack.use(relay);
  const pair = addVeth(namespace, subnet, defaultRoute(routes)?.device);
  stack.use(guard(pair.host, subnet, { probed: suspect !== undefined }));
  pair.raise();
  const probe = namespace.sockets[relays.length];
  if (suspect !== undefined && probe !== undefined && !(await isForwarded(probe))) {
    closed.add(suspect.reason);
    return suspect;
  }
  const resources = stack.move();
  return {
    mode: "own",
    fallback: undefined,
    join: { kind: "path", path: `/proc/${process.pid}/fd/${namespace.fd}` },
    subnet,
    host: subnet.gateway,
    resolvConf: text,
    [Symbol.dispose]: () => resources.dispose(),
  };
}

/** Why "own" would not reach anything. */
function obstacleOf(host: NetworkHost): Obstacle | undefined {
  if (inUserNamespace()) return { reason: "a plain user cannot connect another network to the host's", hint: tunHint };
  const uplink = defaultRoute(parseRoutes(host.routes))?.device;
  if (uplink === undefined && hasDefaultRoute6(host.ipv6Routes))
    return { reason: "the host has a way out by IPv6 alone", hint: "give the host a default route of IPv4" };
  if (host.forwarding.trim() !== "1") {
    const name = uplink === undefined ? "net.ipv4.ip_forward" : `net/ipv4/conf/${uplink}/forwarding`;
    return { reason: `the host does not forward packets (sysctl ${name} is 0)`, hint: `sudo sysctl -w ${name}=1` };
  }
  return undefined;
}

function readHost(): NetworkHost {
  const routes = readText("/proc/self/net/route");
  const uplink = defaultRoute(parseRoutes(routes))?.device;
  return {
    forwarding: readText(`/proc/sys/net/ipv4/${uplink === undefined ? "ip_forward" : `conf/${uplink}/forwarding`}`),
    routes,
    ipv6Routes: readText("/proc/self/net/ipv6_route"),
    resolvConf: readText("/etc/resolv.conf"),
    resolved: readText("/run/systemd/resolve/resolv.conf"),
    userWay: hasUserWay(),
  };
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
