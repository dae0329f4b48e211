import { randomInt } from "node:crypto";
import { TsbuildError } from "../../native/errors.ts";

/** A network of four addresses: the host's end is `base` + 1, the container's `base` + 2. Numbers in host order. */
export interface Subnet {
  readonly base: number;
  readonly prefix: 30;
  readonly gateway: string;
  readonly address: string;
}

/** One line of the host's routing table; numbers in host order. */
export interface Route {
  readonly device: string;
  readonly destination: number;
  readonly mask: number;
  readonly metric: number;
}

/** Private blocks that are searched for a free subnet: seldom used, because the usual ones begin elsewhere. */
const blocks = [
  { base: 0x0ae7_0000, size: 0x1_0000 }, // 10.231.0.0/16
  { base: 0xac1f_0000, size: 0x1_0000 }, // 172.31.0.0/16
  { base: 0x0a89_0000, size: 0x1_0000 }, // 10.137.0.0/16
] as const;
const tries = 64;
const RTF_REJECT = 0x200;

/** Parses /proc/net/route, whose addresses are hexadecimal in the machine's (little endian) order. */
export function parseRoutes(text: string): readonly Route[] {
  return text.split("\n").flatMap((line) => {
    const [device, destination, , , , , metric, mask] = line.trim().split(/\s+/);
    if (device === undefined || destination === undefined || mask === undefined) return [];
    if (!/^[0-9A-F]{8}$/.test(destination) || !/^[0-9A-F]{8}$/.test(mask)) return [];
    return [{ device, destination: swapped(destination), mask: swapped(mask), metric: Number(metric) }];
  });
}

function swapped(hex: string): number {
  return Buffer.from(hex, "hex").readUInt32LE(0);
}

/** The route that packets to anywhere take. */
export function defaultRoute(routes: readonly Route[]): Route | undefined {
  const found = routes.filter(({ destination, mask }) => destination === 0 && mask === 0);
  return found.toSorted((a, b) => a.metric - b.metric)[0];
}

/** Whether /proc/net/ipv6_route has a default route that leads anywhere. */
export function hasDefaultRoute6(text: string): boolean {
  return text.split("\n").some((line) => {
    const [destination = "", prefix, , , , , , , flags = "0", device] = line.trim().split(/\s+/);
    return (
      /^0{32}$/.test(destination) && prefix === "00" && device !== "lo" && (parseInt(flags, 16) & RTF_REJECT) === 0
    );
  });
}

/** A subnet that no route of the host leads to, save the default one. @throws E_NETWORK_SUBNET */
export function chooseSubnet(routes: readonly Route[], random: (limit: number) => number = randomInt): Subnet {
  for (const block of blocks) {
    for (let count = 0; count < tries; count++) {
      const base = block.base + 4 * random(block.size / 4);
      if (!routes.some((route) => overlaps(route, base)))
        return { base, prefix: 30, gateway: dotted(base + 1), address: dotted(base + 2) };
    }
  }
  throw new TsbuildError("Cannot make a network: no private subnet is free on this machine", {
    code: "E_NETWORK_SUBNET",
  });
}

function overlaps({ destination, mask }: Route, base: number): boolean {
  if (mask === 0) return false;
  const common = (mask & 0xffff_fffc) >>> 0;
  return ((destination ^ base) & common) === 0;
}

function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join(".");
}
