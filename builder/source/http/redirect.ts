import { UrlError } from "./errors.ts";

/** Statuses that lead to another URL. */
export const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Where a redirect leads, without user, password and fragment. From TLS to plain http only when the content is known
 * (`pinned`), and never from the network to this machine or its neighbours, where services trust who asks.
 * @throws E_URL_REDIRECT
 */
export function redirectTarget(from: string, location: string, pinned: boolean): string {
  const here = new URL(from);
  const target = URL.canParse(location, from) ? new URL(location, from) : undefined;
  if (target === undefined) throw refused(here, "an address that cannot be read");
  if (target.protocol !== "http:" && target.protocol !== "https:")
    throw refused(here, `a ${target.protocol.slice(0, -1)} address`);
  if (here.protocol === "https:" && target.protocol === "http:" && !pinned) {
    throw refused(
      here,
      `plain http (${target.host})`,
      "pin the content: --checksum=sha256:..., or ask that server itself",
    );
  }
  if (isNear(target.hostname) && !isNear(here.hostname)) throw refused(here, `${target.host}, which is this machine`);
  target.username = "";
  target.password = "";
  target.hash = "";
  return target.href;
}

/** Names of this machine and addresses that no router forwards, such as a cloud's 169.254.169.254. */
function isNear(hostname: string): boolean {
  const name = hostname.toLowerCase().replace(/\.$/, "");
  if (name === "localhost" || name.endsWith(".localhost")) return true;
  if (/^(?:127|0)\.|^169\.254\./.test(name)) return true;
  // WHATWG URLs have one form of each address: ::ffff:127.0.0.1 is ::ffff:7f00:1.
  return /^\[(?:::1?|fe[89ab][0-9a-f]:.*|::ffff:(?:7f[0-9a-f]{2}|a9fe|[0-9a-f]{1,2}):.*)\]$/.test(name);
}

function refused(from: URL, to: string, hint?: string): UrlError {
  return new UrlError(`Cannot follow ${from.host}: it leads to ${to}`, {
    code: "E_URL_REDIRECT",
    ...(hint === undefined ? {} : { hint }),
  });
}
