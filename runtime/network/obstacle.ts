import { existsSync, readFileSync } from "node:fs";
import { netlinkProtocols, NetlinkSocket, parseAttributes } from "../../native/netlink.ts";
import { family, hooks, listChains, NFTA_CHAIN, NFTA_HOOK, policies } from "./nft.ts";

/** Why a container cannot have a network of its own, and what helps. */
export interface Obstacle {
  readonly reason: string;
  readonly hint: string;
}

const accept = "let the host forward for the interfaces tsb*";

/**
 * What on this host drops packets that are forwarded; undefined = nothing that can be seen. A rule of ours could not
 * bring them back: every base chain must accept. @throws SyscallError without nftables
 */
export function forwardObstacle(): Obstacle | undefined {
  const legacy = "/proc/net/ip_tables_names";
  if (existsSync(legacy) && readFileSync(legacy, "utf8").split("\n").includes("filter"))
    return { reason: "the host filters by iptables, which may drop forwarded packets", hint: accept };
  using socket = NetlinkSocket.open(netlinkProtocols.netfilter);
  for (const { body } of socket.request("list the firewall's chains", listChains())) {
    const chain = parseAttributes(body.subarray(4));
    const hook = parseAttributes(chain.get(NFTA_CHAIN.HOOK) ?? Buffer.alloc(0)).get(NFTA_HOOK.HOOKNUM);
    if (body[0] !== family.inet && body[0] !== family.ipv4) continue;
    if (hook?.readUInt32BE(0) !== hooks.forward) continue;
    if (chain.get(NFTA_CHAIN.POLICY)?.readUInt32BE(0) !== policies.drop) continue;
    const where = `nft table ${text(chain.get(NFTA_CHAIN.TABLE))}, chain ${text(chain.get(NFTA_CHAIN.NAME))}`;
    return { reason: `the host's firewall drops forwarded packets (${where})`, hint: accept };
  }
  return undefined;
}

function text(bytes: Buffer | undefined): string {
  return (bytes?.toString() ?? "?").replace(/\0$/, "");
}
