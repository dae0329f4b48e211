/** When a base image is looked up in its registry. "newer": only if the registry's differs from the local one. */
export type PullPolicy = "always" | "missing" | "never" | "newer";
