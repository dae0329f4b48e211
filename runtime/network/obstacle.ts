import { existsSync, readFileSync } from "node:fs";
import { netlinkProtocols, NetlinkSocket, parseAttributes } from "../../native/netlink.ts";
import { family, hooks, listChains, NFTA_CHAIN, NFTA_HOOK, policies } from "./nft.ts";

/**
 * What on this host drops packets that are forwarded; undefined = nothing that can be seen. A rule of ours could not
 * bring them back: every base chain must accept. @throws SyscallError without nftables
 */
export function forwardObstacle(): string | undefined {
  const legacy = "/proc/net/ip_tables_names";
  if (existsSync(legacy) && readFileSync(legacy, "utf8").split("\n").includes("filter"))
    return "the host filters by iptables, which may drop forwarded packets";
  using socket = NetlinkSocket.open(netlinkProtocols.netfilter);
  for (const { body } of socket.request("list the firewall's chains", listChains())) {
    const chain = parseAttributes(body.subarray(4));
    const hook = parseAttributes(chain.get(NFTA_CHAIN.HOOK) ?? Buffer.alloc(0)).get(NFTA_HOOK.HOOKNUM);
    if (body[0] !== family.inet && body[0] !== family.ipv4) continue;
    if (hook?.readUInt32BE(0) === hooks.forward && chain.get(NFTA_CHAIN.POLICY)?.readUInt32BE(0) === policies.drop)
      return `the host's firewall drops forwarded packets (nft table ${text(chain.get(NFTA_CHAIN.TABLE))}, chain ${text(chain.get(NFTA_CHAIN.NAME))})`;
  }
  return undefined;
}

function text(bytes: Buffer | undefined): string {
  return (bytes?.toString() ?? "?").replace(/\0$/, "");
}
