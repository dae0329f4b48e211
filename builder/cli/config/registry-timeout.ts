import { parseDuration } from "../../base/duration.ts";
import { UsageError } from "../base/usage-error.ts";

const day = 86_400_000;

/** Milliseconds of a setting that says how long registries are waited for; undefined when it says no such thing. */
export function registryTimeoutOf(text: string): number | undefined {
  const milliseconds = (parseDuration(text) ?? 0) / 1e6;
  return milliseconds >= 1000 && milliseconds <= day ? Math.floor(milliseconds) : undefined;
}

/** As registryTimeoutOf(), of what counts in the end. @throws E_CONFIG */
export function registryTimeout(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const found = registryTimeoutOf(text);
  if (found !== undefined) return found;
  throw new UsageError(`TSBUILD_REGISTRY_TIMEOUT cannot be ${JSON.stringify(text)}`, {
    code: "E_CONFIG",
    hint: "a duration from 1s to 24h: TSBUILD_REGISTRY_TIMEOUT=2m",
  });
}
