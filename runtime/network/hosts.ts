import { hostGateway, type HostEntry } from "../spec/network.ts";

/** The entries with the host's address; those of a host that cannot be seen are left out. */
export function withHostAddress(entries: readonly HostEntry[], host: string | undefined): readonly HostEntry[] {
  return entries.flatMap(({ name, address }) => {
    if (address !== hostGateway) return [{ name, address }];
    return host === undefined ? [] : [{ name, address: host }];
  });
}

/** A container's /etc/hosts. `extra` comes first, so that it wins. @see BuildKit's executor/oci hosts */
export function hostsFile(hostname: string, extra: readonly HostEntry[] = []): string {
  return [
    ...extra.map(({ name, address }) => `${address}\t${name}`),
    `127.0.0.1\tlocalhost ${hostname}`,
    "::1\tlocalhost ip6-localhost ip6-loopback",
    "fe00::0\tip6-localnet",
    "ff00::0\tip6-mcastprefix",
    "ff02::1\tip6-allnodes",
    "ff02::2\tip6-allrouters",
    "",
  ].join("\n");
}
