import { existsSync, readFileSync } from "node:fs";
import { netlinkProtocols, NetlinkSocket, parseAttributes } from "../../native/netlink.ts";
import type { Obstacle } from "../spec/network.ts";
import { ownTables } from "./guard.ts";
import { family, hooks, listChains, NFTA_CHAIN, NFTA_HOOK } from "./nft.ts";

const accept =
  "let the firewall forward for us: iptables -I FORWARD -i tsb+ -j ACCEPT && iptables -I FORWARD -o tsb+ -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT";

/**
 * What on this host may drop packets that are forwarded; undefined = nothing that can be seen. A rule of ours could not
 * bring them back: every base chain must accept. @throws SyscallError without
 * nftables
 */
export function forwardObstacle(): Obstacle | undefined {
  const legacy = "/proc/net/ip_tables_names";
  if (existsSync(legacy) && readFileSync(legacy, "utf8").split("\n").includes("filter"))
    return { reason: "the host's firewall drops forwarded packets (iptables)", hint: accept };
  using socket = NetlinkSocket.open(netlinkProtocols.netfilter);
  for (const { body } of socket.request("list the firewall's chains", listChains())) {
    const chain = parseAttributes(body.subarray(4));
    const hook = parseAttributes(chain.get(NFTA_CHAIN.HOOK) ?? Buffer.alloc(0)).get(NFTA_HOOK.HOOKNUM);
    if (body[0] !== family.inet && body[0] !== family.ipv4) continue;
    if (hook?.readUInt32BE(0) !== hooks.forward) continue;
    const table = text(chain.get(NFTA_CHAIN.TABLE));
    if (table.startsWith(ownTables)) continue;
    const where = `nft table ${table}, chain ${text(chain.get(NFTA_CHAIN.NAME))}`;
    return { reason: `the host's firewall drops forwarded packets (${where})`, hint: accept };
  }
  return undefined;
}

function text(bytes: Buffer | undefined): string {
  return (bytes?.toString() ?? "?").replace(/\0$/, "");
}
