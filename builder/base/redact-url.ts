const mask = "xxxxx";
/** Between `//` and the first slash, up to the last `@`. */
const user = /\b([a-z][a-z0-9+.-]*):\/\/([^\s/?#"]*)@/gi;

/**
 * The text with user and password of every URL in it masked: `https://xxxxx:xxxxx@host/path`. Alone a user may be a
 * token, but not with ssh, where it is a name like `git`. For all that is shown, stored or part of a key.
 */
export function redactUrls(text: string): string {
  return text.replaceAll(user, (whole, scheme: string, userinfo: string) => {
    if (isName(scheme, userinfo)) return whole;
    return `${scheme}://${userinfo.includes(":") ? `${mask}:${mask}` : mask}@`;
  });
}

/** The same with everything in its place, for a line of source with a mark under it. */
export function hideUsers(line: string): string {
  return line.replaceAll(user, (whole, scheme: string, userinfo: string) =>
    isName(scheme, userinfo) ? whole : `${scheme}://${userinfo.replaceAll(/[^:]/g, "x")}@`,
  );
}

function isName(scheme: string, userinfo: string): boolean {
  return /ssh$/i.test(scheme) && !userinfo.includes(":");
}
