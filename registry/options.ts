/** How registries are reached; every value is resolved, nothing is read from the environment here. */
export interface RegistryOptions {
  /** host -> URLs tried first, in order: { "docker.io": ["http://127.0.0.1:5000"] }. */
  readonly mirrors?: Readonly<Record<string, readonly string[]>>;
  /** Hosts spoken to by plain http (localhost and 127.0.0.0/8 always may be). */
  readonly insecure?: readonly string[];
  /** Candidate docker config.json / auth.json files, first wins per host. */
  readonly authFiles?: readonly string[];
  /** Auth JSON given as text (DOCKER_AUTH_CONFIG). */
  readonly authJson?: string;
  /** The environment for helpers and proxies: PATH, HTTP_PROXY, HTTPS_PROXY, NO_PROXY. */
  readonly env?: Readonly<Record<string, string>>;
}
