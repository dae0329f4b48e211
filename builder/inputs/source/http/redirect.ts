import { UrlError } from "./errors.ts";

/**
 * Where a redirect leads, without user, password and fragment. From TLS to plain http only when the content is known
 * (`pinned`).
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
  target.username = "";
  target.password = "";
  target.hash = "";
  return target.href;
}

function refused(from: URL, to: string, hint?: string): UrlError {
  return new UrlError(`Cannot follow ${from.host}: it leads to ${to}`, {
    code: "E_URL_REDIRECT",
    ...(hint === undefined ? {} : { hint }),
  });
}
