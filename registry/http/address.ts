import { BlockList, isIP } from "node:net";

/** Where an address is: out in the network, on this machine, or where only this machine's neighbours answer. */
export type Nearness = "far" | "loopback" | "link";

/** IPv4 ranges: this host (also as 0.0.0.0), and link-local, where clouds answer with a machine's credentials. */
const loopback = [
  ["127.0.0.0", 8],
  ["0.0.0.0", 8],
] as const;
const link = [["169.254.0.0", 16]] as const;
/** Addresses outside of link-local that a cloud answers each of its machines at: Alibaba, Azure, Oracle; Amazon, Google. */
const metadata = ["100.100.100.200", "168.63.129.16", "192.0.0.192"];
const metadata6 = ["fd00:ec2::254", "fd20:ce::254"];

/** IPv6 prefixes that stand for an IPv4 address: what precedes its 32 bits. */
const embedded: readonly { readonly before: string; readonly bits: number; readonly after: string }[] = [
  { before: "::", bits: 96, after: "" }, // IPv4-compatible
  { before: "::ffff:0:", bits: 96, after: "" }, // translated
  { before: "64:ff9b::", bits: 96, after: "" }, // NAT64
  { before: "64:ff9b:1::", bits: 96, after: "" },
  { before: "2002:", bits: 16, after: "::" }, // 6to4
];

/** Made with the first address: a command that asks no server needs none. */
let lists: { readonly loopback: BlockList; readonly link: BlockList } | undefined;

function makeLists(): NonNullable<typeof lists> {
  const made = { loopback: listOf(loopback, ["::", "::1"], []), link: listOf(link, metadata6, metadata) };
  made.link.addSubnet("fe80::", 10, "ipv6");
  return made;
}

/** What is no address counts as far. */
export function nearnessOf(address: string): Nearness {
  const plain = address.replace(/^\[|\]$|%.*$/g, "");
  const family = isIP(plain);
  if (family === 0) return "far";
  const type = family === 4 ? "ipv4" : "ipv6";
  lists ??= makeLists();
  // A list of IPv4 ranges knows ::ffff:127.0.0.1 too.
  if (lists.link.check(plain, type)) return "link";
  return lists.loopback.check(plain, type) ? "loopback" : "far";
}

/** By what a URL's host says itself: an address, or a name that always means this machine. Other names count as far. */
export function nearnessOfHost(hostname: string): Nearness {
  const name = hostname.toLowerCase().replace(/\.$/, "");
  if (name === "localhost" || name.endsWith(".localhost")) return "loopback";
  return nearnessOf(name);
}

/** Where a request may go: anywhere if the user named the place, else out or, from this machine, also back to it. */
export type Reach = "anywhere" | "network" | "loopback";

export function isReached(nearness: Nearness, reach: Reach): boolean {
  return reach === "anywhere" || nearness === "far" || (nearness === "loopback" && reach === "loopback");
}

/** The reach of what a server leads to. */
export function reachFrom(nearness: Nearness): Reach {
  return nearness === "loopback" ? "loopback" : "network";
}

/** The cause of a request that was not sent, because of where it would have gone. */
export class NearAddressError extends Error {
  override readonly name: string = "NearAddressError";
  readonly code: string = "ENEAR";
  readonly address: string;

  constructor(address: string) {
    super(`${address} is ${nearnessOfHost(address) === "link" ? "of this machine's link" : "this machine"}`);
    this.address = address;
  }
}

function listOf(
  ranges: readonly (readonly [string, number])[],
  single6: readonly string[],
  single4: readonly string[],
): BlockList {
  const list = new BlockList();
  for (const address of single6) list.addAddress(address, "ipv6");
  for (const [address, prefix] of [...ranges, ...single4.map((one) => [one, 32] as const)]) {
    list.addSubnet(address, prefix, "ipv4");
    const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
    const groups = `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
    for (const { before, bits, after } of embedded) list.addSubnet(`${before}${groups}${after}`, bits + prefix, "ipv6");
  }
  return list;
}
