/** What the servers of a test network do; what is not said they do well. */
export interface LanRules {
  /** How the registry asks who it is talking to. */
  readonly challenge?: "basic" | "bearer";
  /** Its token service; default: `/token` of its own origin. */
  readonly realm?: string;
  /** Status of the token service's first answer. */
  readonly token?: number;
  /** Where `/token` leads, to `/token2` of an origin. */
  readonly tokenLeads?: string;
  /** Where the registry sends who wants a blob, a manifest, or to send a blob. */
  readonly blob?: string;
  readonly manifest?: string;
  readonly upload?: string;
  /** Where that place leads on. */
  readonly onward?: string;
  /** What that place asks; its token service is `/token` of its own origin. */
  readonly elsewhere?: "basic" | "bearer";
  /** The address that reg.test has after its first answer; no connection is used twice then. */
  readonly turns?: string;
  /** Where `/file` leads. */
  readonly file?: string;
}

/** Names of the network's servers, with their addresses: all far, but for three names that only seem so. */
export const lanHosts: Readonly<Record<string, string>> = {
  "reg.test": "203.0.113.10",
  "cdn.test": "203.0.113.20",
  "auth.test": "203.0.113.30",
  "proxy.test": "203.0.113.40",
  "trap.test": "127.0.0.1",
  "trap6.test": "::ffff:127.0.0.1",
  "meta.test": "169.254.169.254",
};

/** What clouds answer at. */
export const lanMetadata: readonly string[] = ["169.254.169.254", "100.100.100.200", "fd00:ec2::254"];

/** One request, as a server got it: who it was, and what it was told of who asks. */
export interface LanRequest {
  readonly server: string;
  readonly told: string;
}
