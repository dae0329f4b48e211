import { RegistryError } from "../errors.ts";

/**
 * The URL that a server sends a request to: of http or https, and never from the latter to the former. `first`: what was
 * asked first. @throws E_REGISTRY_REDIRECT
 */
export function redirected(location: string, from: string, first: string = from): string {
  const url = URL.parse(location, from);
  if (url === null || !["http:", "https:"].includes(url.protocol)) {
    throw redirectError(first, `it names no place that can be asked, ${JSON.stringify(location.slice(0, 100))}`);
  }
  if (url.protocol === "http:" && (first.startsWith("https:") || from.startsWith("https:")))
    throw redirectError(first, `from https to plain http of ${url.host}`);
  url.username = "";
  url.password = "";
  return url.href;
}

/** The error of a redirect that is not followed. */
export function redirectError(url: string, why: string): RegistryError {
  return new RegistryError(`Cannot follow ${new URL(url).host}: ${why}`, {
    code: "E_REGISTRY_REDIRECT",
    hint: "try again, or name another place: --registry-mirror HOST=URL",
  });
}
