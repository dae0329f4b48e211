/** A line of /etc/hosts. The address `host-gateway` is the host's as a container sees it. */
export interface HostAddress {
  readonly name: string;
  readonly address: string;
}
