import type { Mount } from "../../native/mount.ts";
import type { NetworkMode } from "../../runtime/index.ts";

/** What the host lends to every RUN of a build; none of it is in a key, in a layer or in history. */
export interface RunEnvironment {
  /** A directory with empty mount points, put below the lowest layer so that no step has to make them. */
  readonly stubs: string;
  /** resolv.conf, hosts, the host's CA bundle. */
  readonly mounts: readonly Mount[];
  /** Proxy and CA variables, set where the image has none of the name. */
  readonly variables: readonly string[];
  /** What `default` means here. */
  readonly network: NetworkMode;
}
