import { posix } from "node:path";
import { TsbuildError } from "../../native/errors.ts";
import { applyQuery, type GitOptions } from "./git-options.ts";
import { redactUrls } from "./redact-url.ts";
import { decodePercent, schemeOf, splitUrl, type UserInfo } from "./split-url.ts";

/** A git repository, and what of it is meant. */
export interface GitUrl extends GitOptions {
  /** For git itself: without query, fragment, user (but of ssh) and password. */
  readonly remote: string;
  /** User and password of http and https. */
  readonly userinfo: UserInfo | undefined;
  /** `github.com/x/y`: in a Dockerfile that is a path, only as a build context it is a repository. */
  readonly bare: boolean;
}

const control = /[\x00-\x1f\x7f]/;
const transports = new Set(["http", "https", "git", "ssh"]);
const scp = /^([a-z0-9_-]+)@([a-z0-9.-]+):([^?#\n]*)(?:\?([^#\n]*))?(?:#([^\n]*))?$/i;

/**
 * Reads a git URL as BuildKit does: `https://host/x.git`, `git://`, `ssh://`, `user@host:path` and `github.com/x/y`, with
 * `#ref:subdir` or `?ref=&tag=&branch=&subdir=&checksum=&keep-git-dir=&submodules=&mtime=&fetch-by-commit=`. With http and
 * https the path has to end with `.git`, unless `known` says that it is a repository. undefined: it is none.
 * @throws E_GIT_URL
 */
export function parseGitUrl(text: string, known: boolean = false): GitUrl | undefined {
  if (/^\.\.?\//.test(text)) return undefined;
  if (text.startsWith("github.com/")) {
    const url = parseHttp(`https://${text}`, true);
    return url === undefined ? undefined : { ...url, bare: true };
  }
  const scheme = schemeOf(text);
  if (scheme === undefined) return parseScp(text);
  if (!transports.has(scheme)) return undefined;
  return scheme === "http" || scheme === "https" ? parseHttp(text, known) : parsePlain(text);
}

function parseHttp(text: string, known: boolean): GitUrl | undefined {
  const parts = splitUrl(text);
  if (parts === undefined) return undefined;
  const { scheme, userinfo, host, path, query, fragment } = parts;
  if (!known && decodePercent(path)?.endsWith(".git") !== true) return undefined;
  return make(text, { remote: `${scheme}://${host}${encodeSpaces(path)}`, userinfo, query, fragment });
}

/** git:// and ssh://. */
function parsePlain(text: string): GitUrl {
  const parts = splitUrl(text);
  if (parts === undefined) throw gitUrlError(text, "it has no host, or characters that no URL has");
  const { scheme, userinfo, host, path, query, fragment } = parts;
  const user = scheme === "ssh" && userinfo !== undefined ? userinfo.username : "";
  if (!/^(?:[\w.][\w.+@-]*)?$/.test(user)) throw gitUrlError(text, `invalid user name ${JSON.stringify(user)}`);
  const remote = `${scheme}://${user === "" ? "" : `${user.replaceAll("@", "%40")}@`}${host}${encodeSpaces(path)}`;
  return make(text, { remote, userinfo: undefined, query, fragment });
}

function parseScp(text: string): GitUrl | undefined {
  const [, user = "", host = "", path = "", query = "", fragment = ""] = scp.exec(text) ?? [];
  if (user === "") return undefined;
  // ssh and the program at the other end would take them for options.
  if ([user, host, path].some((part) => part.startsWith("-"))) throw gitUrlError(text, "a part begins with -");
  return make(text, { remote: `${user}@${host}:${path}`, userinfo: undefined, query, fragment });
}

function make(
  text: string,
  parts: Pick<GitUrl, "remote" | "userinfo"> & { readonly query: string; readonly fragment: string },
): GitUrl {
  const { remote, userinfo, query } = parts;
  const fail = (why: string): TsbuildError => gitUrlError(text, why);
  const fragment = decodePercent(parts.fragment);
  if (fragment === undefined) throw fail("its fragment cannot be decoded");
  const [ref = "", subdir = ""] = fragment.split(/:(.*)/s);
  const options = applyQuery({ ref: ref === "" ? undefined : ref, subdir: cleanSubdir(subdir) }, query, fail);
  if ([remote, options.ref, options.subdir].some((word) => control.test(word ?? "")))
    throw fail("it has a character that cannot be printed");
  return { remote, userinfo, bare: false, ...options, subdir: cleanSubdir(options.subdir ?? "") };
}

/** Relative to the repository's top, without `..`; undefined is all of it. */
function cleanSubdir(text: string): string | undefined {
  const path = posix.join("/", text).replace(/\/+$/, "").slice(1);
  return path === "" ? undefined : path;
}

function encodeSpaces(path: string): string {
  return path.replaceAll(" ", "%20");
}

function gitUrlError(text: string, why: string): TsbuildError {
  return new TsbuildError(`Cannot read the git URL ${redactUrls(text)}: ${why}`, {
    code: "E_GIT_URL",
    hint: "for example https://host/repository.git#branch:directory, or ?tag=v1&subdir=directory&checksum=COMMIT",
  });
}
