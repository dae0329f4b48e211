/**
 * "default": one of the container's own, or the host's where that cannot be made, which is told; "own": it must be one of
 * its own.
 */
export type NetworkOption = "default" | "own" | "none" | "host";
