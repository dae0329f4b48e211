import { isIP } from "node:net";

const protocols = new Set(["tcp", "udp", "sctp"]);

/** `8000-8002/udp` -> the single ports with their protocol. An ip and a host port are checked and dropped. */
export function parsePort(text: string, fail: (message: string) => Error): readonly string[] {
  const { ip, host, container } = splitParts(text);
  if (ip !== "" && isIP(ip.replace(/^\[(.*)\]$/, "$1")) === 0)
    throw fail(`Cannot expose ${JSON.stringify(text)}: ${ip} is no IP address`);
  const [, ports = "", protocol = ""] = /^([^/]*)(?:\/([^]*))?$/.exec(container) ?? [];
  const proto = protocol === "" ? "tcp" : protocol.toLowerCase();
  if (ports === "") throw fail(`Cannot expose ${JSON.stringify(text)}: no port given`);
  if (!protocols.has(proto)) throw fail(`Cannot expose ${JSON.stringify(text)}: ${proto} is not tcp, udp or sctp`);
  const range = portRange(ports);
  if (range === undefined)
    throw fail(`Cannot expose ${JSON.stringify(text)}: ${ports} is not a port or a range of ports`);
  const hostRange = host === "" ? range : portRange(host);
  if (hostRange === undefined) throw fail(`Cannot expose ${JSON.stringify(text)}: ${host} is not a port`);
  if (hostRange.end - hostRange.start !== range.end - range.start && range.end !== range.start) {
    throw fail(`Cannot expose ${JSON.stringify(text)}: the ranges differ in length`);
  }
  return Array.from({ length: range.end - range.start + 1 }, (_, at) => `${range.start + at}/${proto}`);
}

/** `[[ip:]host:]container`; an IPv6 address has colons of its own. */
function splitParts(text: string): { readonly ip: string; readonly host: string; readonly container: string } {
  const parts = text.split(":");
  const [host = "", container = ""] = parts.length === 1 ? ["", text] : parts.slice(-2);
  return { ip: parts.slice(0, -2).join(":"), host, container };
}

function portRange(text: string): { readonly start: number; readonly end: number } | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  const start = Number(match[1]);
  const end = Number(match[2] ?? match[1]);
  return start <= end && end <= 65_535 ? { start, end } : undefined;
}
