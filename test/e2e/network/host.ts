import { attribute, be32, netlinkFlags, netlinkProtocols, NetlinkSocket } from "../../../native/netlink.ts";

/** Between a namespace that plays the host and one that plays the world outside. */
export const outside = { base: 0xc000_0200, prefix: 30, gateway: "192.0.2.1", address: "192.0.2.2" } as const;

/** The host's default route leads to the world outside. */
export function addDefaultRoute(): void {
  using socket = NetlinkSocket.open(netlinkProtocols.route);
  const header = Buffer.from([2, 0, 0, 0, 254, 4, 0, 1, 0, 0, 0, 0]);
  const body = Buffer.concat([header, attribute(5, be32(outside.base + 2))]);
  socket.request("add the default route", { type: 24, flags: netlinkFlags.ack | netlinkFlags.create, body });
}
