/** User and password of a URL, decoded. */
export interface UserInfo {
  readonly username: string;
  readonly password: string | undefined;
}

/** The parts of a URL as written, but for the scheme, which is in lower case, and the user, which is decoded. */
export interface UrlParts {
  readonly scheme: string;
  readonly userinfo: UserInfo | undefined;
  /** With its port. */
  readonly host: string;
  readonly path: string;
  readonly query: string;
  readonly fragment: string;
}

const url = /^([a-z][a-z0-9]*):\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/is;
const hostname = /^(?:[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;

/** Whether a text begins like a URL that has a scheme. */
export function schemeOf(text: string): string | undefined {
  return /^([a-z][a-z0-9]*):\/\//i.exec(text)?.[1]?.toLowerCase();
}

/** undefined: it is no URL, or one whose host, user or characters nobody would mean well. */
export function splitUrl(text: string): UrlParts | undefined {
  const [, scheme = "", authority = "", path = "", query = "", fragment = ""] = url.exec(text) ?? [];
  const at = authority.lastIndexOf("@");
  const host = authority.slice(at + 1);
  if (scheme === "" || !hostname.test(host) || /[\x00-\x1f\x7f]/.test(text)) return undefined;
  const userinfo = at < 0 ? undefined : userInfo(authority.slice(0, at));
  if (at >= 0 && userinfo === undefined) return undefined;
  return { scheme: scheme.toLowerCase(), userinfo, host, path, query, fragment };
}

/** The URL without user and password. */
export function withoutUser(text: string): string {
  return text.replace(/^([^:]+:\/\/)[^/?#]*@/, "$1");
}

/** The text without percent signs; undefined where that is none. */
export function decodePercent(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** As Go's net/url: no white space and no quotes, so that redactUrls() finds it wherever it is. */
const userForm = /^[\w.~!$&'()*+,;=:%@-]*$/;

function userInfo(text: string): UserInfo | undefined {
  if (!userForm.test(text)) return undefined;
  const colon = text.indexOf(":");
  const username = decodePercent(colon < 0 ? text : text.slice(0, colon));
  const password = colon < 0 ? undefined : decodePercent(text.slice(colon + 1));
  if (username === undefined || (colon >= 0 && password === undefined)) return undefined;
  return { username, password };
}
