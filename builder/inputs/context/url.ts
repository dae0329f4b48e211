import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { TsbuildError } from "../../../native/errors.ts";
import { parseGitUrl, type GitUrl } from "../../base/git-url.ts";
import { redactUrls } from "../../base/redact-url.ts";
import { gitSpec, shownGit } from "../../graph/git-vertex.ts";
import { splitUrl, withoutUser } from "../../base/split-url.ts";

/** What the word for a context means, when it is no directory and not standard input. */
export type ContextUrl =
  | { readonly kind: "git"; readonly url: GitUrl }
  /** As written, perhaps with user and password. */
  | { readonly kind: "http"; readonly url: string };

/** undefined: a directory, or a path that is none. @throws E_GIT_URL, E_URL_INVALID */
export function parseContextUrl(text: string): ContextUrl | undefined {
  const git = parseGitUrl(text);
  // A directory may be called github.com.
  if (git !== undefined) return git.bare && existsSync(text) ? undefined : { kind: "git", url: git };
  if (!isHttpUrl(text)) return undefined;
  return { kind: "http", url: checkContextUrl(text) };
}

/** Whether a text begins as an http or https URL does. */
export function isHttpUrl(text: string): boolean {
  return /^https?:\/\//.test(text);
}

/** The URL without fragment. @throws E_URL_INVALID */
export function checkContextUrl(text: string): string {
  if (splitUrl(text) !== undefined && URL.canParse(text)) return text.replace(/#.*$/s, "");
  throw new TsbuildError(`Cannot read the URL ${redactUrls(text)}: it has no host, or characters that no URL has`, {
    code: "E_URL_INVALID",
    hint: "write other characters as %XX",
  });
}

/** Names the project of a context from build to build: its directory, or its URL without user and password. */
export function contextID(text: string, cwd: string): string {
  const url = text === "-" ? undefined : parseContextUrl(text);
  if (url === undefined) return text === "-" ? text : resolve(cwd, text);
  return url.kind === "git" ? shownGit(gitSpec(url.url)) : withoutUser(url.url);
}

/** Names a Dockerfile in the records of builds: its path, or its URL without user and password. */
export function dockerfileID(text: string, cwd: string): string {
  if (text === "-") return text;
  return isHttpUrl(text) ? withoutUser(text).replace(/#.*$/s, "") : resolve(cwd, text);
}
