import type { Container } from "../../../runtime/index.ts";
import { hostNetworkMessage } from "../../graph/network-warning.ts";
import type { Output } from "../terminal/output.ts";
import { printable } from "../base/text.ts";

/** Says on standard error that a container has the host's network for want of one of its own. */
export function tellHostNetwork({ network }: Container, out: Output): void {
  const { fallback } = network;
  if (fallback === undefined) return;
  out.notice(`WARN: ${printable(hostNetworkMessage("the container has", fallback.reason))}\n`);
}
