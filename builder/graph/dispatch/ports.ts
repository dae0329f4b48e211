const protocols = new Set(["tcp", "udp", "sctp"]);

/** `8000-8002/udp` -> the single ports with their protocol. An ip and a host port are checked and dropped. */
export function parsePort(text: string, fail: (message: string) => Error): readonly string[] {
  const { host, container } = splitParts(text);
  const [ports = "", protocol = ""] = container.split("/", 2);
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

function splitParts(text: string): { readonly host: string; readonly container: string } {
  const parts = text.split(":");
  return { container: parts.at(-1) ?? "", host: parts.length > 1 ? (parts.at(-2) ?? "") : "" };
}

function portRange(text: string): { readonly start: number; readonly end: number } | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  const start = Number(match[1]);
  const end = Number(match[2] ?? match[1]);
  return start <= end && end <= 65_535 ? { start, end } : undefined;
}
