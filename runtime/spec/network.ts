/** "host": the caller's network namespace; "none": a new one with lo only; "own": a new one with a way out. */
export type NetworkMode = "host" | "none" | "own";
/** "own-or-host": the host's where one of its own cannot be made, without what is dangerous there (`atHost`). */
export type NetworkRequest = NetworkMode | "own-or-host";

/** Why a container cannot have a network of its own, and what helps. */
export interface Obstacle {
  readonly reason: string;
  readonly hint: string;
}

/** The network of a container. */
export interface GivenNetwork {
  readonly mode: NetworkMode;
  /** Why it has the host's, where that is not what was asked for, and what helps. */
  readonly fallback: Obstacle | undefined;
}

/** An entry of --add-host. */
export interface HostEntry {
  readonly name: string;
  readonly address: string;
}

/** The address of an entry that stands for the host's, whatever it is when the container starts. */
export const hostGateway = "host-gateway";
