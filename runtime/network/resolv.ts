/** Name servers of a resolv.conf that only the host's own namespace can reach. @see resolv.conf(5) */
export function loopbackNameservers(text: string): readonly string[] {
  return nameservers(text).filter((address) => /^(?:127\.|::1(?:%|$)|0\.0\.0\.0$|::$)/.test(address));
}

/**
 * A container's resolv.conf: the host's, without what cannot work in the network it has. Without any name server left
 * the file has none: the C library then asks the loopback interface, where nobody answers.
 */
export function resolvConf(hostText: string, network: "host" | "none" | "own"): string {
  if (network !== "own") return hostText;
  const dead = new Set(loopbackNameservers(hostText));
  const kept = hostText.split("\n").filter((line) => {
    const server = nameserver(line);
    return server === undefined || !dead.has(server);
  });
  return kept.join("\n");
}

function nameservers(text: string): readonly string[] {
  return text.split("\n").flatMap((line) => nameserver(line) ?? []);
}

function nameserver(line: string): string | undefined {
  return /^nameserver[ \t]+(\S+)/.exec(line)?.[1];
}
