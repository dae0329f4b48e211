import type { GitUrl } from "../../base/git-url.ts";
import { redactUrls } from "../../base/redact-url.ts";
import { TsbuildError } from "../../../native/errors.ts";
import { isDigest, type Digest } from "../../../store/oci/digest.ts";
import { formatPlatform, parsePlatform, type Platform } from "../../../store/oci/platform.ts";
import { parseContextUrl } from "./url.ts";
import { familiarName, normalizeReference } from "../../../store/oci/reference.ts";

/** What `--build-context NAME=VALUE` puts in the place of a name. */
export type NamedContext =
  /** A directory of the host, with its own .dockerignore. */
  | { readonly kind: "directory"; readonly path: string }
  | { readonly kind: "image"; readonly ref: string }
  /** `docker-image://scratch`. */
  | { readonly kind: "scratch" }
  /** An image of an OCI layout; without tag and digest the only one, or `latest`. */
  | {
      readonly kind: "layout";
      readonly path: string;
      readonly tag: string | undefined;
      readonly digest: Digest | undefined;
    }
  /** An archive, or a file that is called `context`; the URL as written, perhaps with user and password. */
  | { readonly kind: "url"; readonly url: string }
  | { readonly kind: "git"; readonly url: GitUrl }
  /** An archive on standard input. */
  | { readonly kind: "stdin" }
  /** Another stage of the same Dockerfile. */
  | { readonly kind: "target"; readonly stage: string };

/** Named contexts by `NAME` or `NAME::os/arch`. */
export type ContextTable = ReadonlyMap<string, NamedContext>;

/** A context with the name it has in the table. */
export interface FoundContext {
  readonly name: string;
  readonly context: NamedContext;
}

/** Reads the table. @throws E_CONTEXT_NAME, E_CONTEXT_VALUE */
export function parseContexts(contexts: Readonly<Record<string, string>>): ContextTable {
  return new Map(Object.entries(contexts).map(([name, value]) => [tableName(name), parseContext(name, value)]));
}

/** The context that a name of an image or stage means on a platform; that of the platform goes first. */
export function findContext(table: ContextTable, name: string, platform: Platform): FoundContext | undefined {
  const plain = table.size === 0 ? undefined : canonicalName(name);
  if (plain === undefined) return undefined;
  for (const key of [`${plain}::${formatPlatform(platform)}`, plain]) {
    const context = table.get(key);
    if (context !== undefined) return { name: key, context };
  }
  return undefined;
}

function tableName(text: string): string {
  const [name = "", platform] = text.split("::");
  const plain = canonicalName(name);
  if (plain === undefined) {
    throw new TsbuildError(`Cannot use ${JSON.stringify(name)} as the name of a build context`, {
      code: "E_CONTEXT_NAME",
      hint: "a context has the name of a stage or image, in lower case: --build-context base=../base",
    });
  }
  return platform === undefined ? plain : `${plain}::${formatPlatform(parsePlatform(platform))}`;
}

/** As docker writes it: `debian:12`, without `docker.io/library/` and `:latest`; undefined when it is no name. */
function canonicalName(text: string): string | undefined {
  try {
    return familiarName(normalizeReference(text)).replace(/:latest$/, "");
  } catch {
    return undefined;
  }
}

function parseContext(name: string, value: string): NamedContext {
  const scheme = /^([a-z][a-z0-9+.-]*):(?:\/\/)?(.*)$/s.exec(value);
  const [, kind = "", rest = ""] = scheme ?? [];
  if (value === "") throw invalid(name, value, "it is empty");
  if (value === "-") return { kind: "stdin" };
  switch (kind) {
    case "docker-image":
      if (rest === "scratch") return { kind: "scratch" };
      return { kind: "image", ref: normalizeReference(rest) };
    case "oci-layout":
      return parseLayout(name, rest);
    case "target":
      return { kind: "target", stage: rest };
    default:
      return parseUrl(name, value) ?? { kind: "directory", path: value };
  }
}

function parseUrl(name: string, value: string): NamedContext | undefined {
  const remote = parseContextUrl(value);
  if (remote?.kind === "http") return { kind: "url", url: remote.url };
  // As with BuildKit github.com/x/y is a directory here.
  if (remote?.kind === "git" && !remote.url.bare) return remote;
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(value)) throw invalid(name, value, "this kind of context is not supported");
  return undefined;
}

/** `PATH[:TAG][@DIGEST]`. */
function parseLayout(name: string, text: string): NamedContext {
  const at = text.lastIndexOf("@");
  const digest = at < 0 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !isDigest(digest)) throw invalid(name, text, `${JSON.stringify(digest)} is no digest`);
  const named = at < 0 ? text : text.slice(0, at);
  const colon = named.lastIndexOf(":");
  const hasTag = colon > named.lastIndexOf("/");
  const path = hasTag ? named.slice(0, colon) : named;
  if (path === "") throw invalid(name, text, "it names no directory");
  return { kind: "layout", path, tag: hasTag ? named.slice(colon + 1) : undefined, digest };
}

function invalid(name: string, value: string, why: string): TsbuildError {
  return new TsbuildError(`Cannot use ${JSON.stringify(redactUrls(value))} as the build context ${name}: ${why}`, {
    code: "E_CONTEXT_VALUE",
    hint: `--build-context ${name}=DIR, https://HOST/ARCHIVE, https://HOST/REPOSITORY.git, docker-image://NAME, oci-layout://DIR:TAG, target:STAGE or - for an archive on standard input`,
  });
}
