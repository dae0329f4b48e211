import { TsbuildError } from "../../native/errors.ts";
import { isDigest, type Digest } from "./digest.ts";

/** An image's name in parts, normalised. @see distribution/reference */
export interface Reference {
  /** `docker.io`, `localhost:5000`. */
  readonly host: string;
  /** `library/debian`. */
  readonly path: string;
  /** Set unless a digest was given alone. */
  readonly tag: string | undefined;
  readonly digest: Digest | undefined;
}

const defaultHost = "docker.io";
const hostPattern =
  /^(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\[[0-9a-fA-F:]+\])(?::\d+)?$/;
const partPattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
/** A name of DNS and a port. */
const maxHost = 260;
const tagPattern = /^\w[\w.-]{0,127}$/;

/** Reads `[host/]path[:tag][@digest]`; docker.io, library/ and latest are filled in. @throws E_REF_INVALID */
export function parseReference(text: string): Reference {
  if (typeof text !== "string") throw invalid(String(text), "it must be a string"); // from a program without types
  const at = text.indexOf("@");
  const digest = at < 0 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !isDigest(digest)) throw invalid(text, "what follows @ is no digest");
  const named = at < 0 ? text : text.slice(0, at);
  const colon = named.lastIndexOf(":");
  const hasTag = colon > named.lastIndexOf("/");
  const tag = hasTag ? named.slice(colon + 1) : undefined;
  if (tag !== undefined && !tagPattern.test(tag)) throw invalid(text, `${JSON.stringify(tag)} is no tag`);
  const { host, path } = splitHost(hasTag ? named.slice(0, colon) : named);
  if (host.length > maxHost) throw invalid(text, `its host is longer than ${maxHost} characters`);
  if (!hostPattern.test(host)) throw invalid(text, `${JSON.stringify(host)} is no host name`);
  if (path === "" || path.length > 255) throw invalid(text, "it has no name");
  if (/[A-Z]/.test(path)) throw invalid(text, "names are in lower case");
  if (!path.split("/").every((part) => partPattern.test(part)))
    throw invalid(text, `${JSON.stringify(path)} is no repository name`);
  if (/^[0-9a-f]{64}$/.test(text)) throw invalid(text, "64 hex digits are an image ID, not a name");
  return { host, path, tag: tag ?? (digest === undefined ? "latest" : undefined), digest };
}

function splitHost(name: string): { readonly host: string; readonly path: string } {
  const slash = name.indexOf("/");
  const first = slash < 0 ? "" : name.slice(0, slash);
  const given = isHost(first);
  const host = !given || first === "index.docker.io" ? defaultHost : first;
  const path = given ? name.slice(slash + 1) : name;
  return { host, path: host === defaultHost && !path.includes("/") && path !== "" ? `library/${path}` : path };
}

/** Whether the first part of a name is a host: docker's rule. */
function isHost(first: string): boolean {
  return first !== "" && (/[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase());
}

/** `host/path[:tag][@digest]`: the form that names are stored and compared in. */
export function formatReference({ host, path, tag, digest }: Reference): string {
  return `${host}/${path}${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
}

/** The normalised form of a name. @throws E_REF_INVALID */
export function normalizeReference(text: string): string {
  return formatReference(parseReference(text));
}

/** The normalised form of a name that is to be given to an image. @throws E_REF_INVALID, also for one with a digest */
export function normalizeTag(text: string): string {
  const reference = parseReference(text);
  if (reference.digest === undefined) return formatReference(reference);
  throw new TsbuildError(`Cannot give an image the name ${text}: a name with a digest is that of its content`, {
    code: "E_REF_INVALID",
    hint: `leave the digest out: ${text.replace(/@.*$/s, "")}`,
  });
}

/** Whether an image can have the name. */
export function isReference(text: string): boolean {
  try {
    parseReference(text);
    return true;
  } catch {
    return false;
  }
}

/** As people write it: without docker.io/ and library/, where it is read as the same name again. */
export function familiarName(normalized: string): string {
  if (!normalized.startsWith(`${defaultHost}/`)) return normalized;
  const name = normalized.slice(defaultHost.length + 1);
  const [first = "", second, third] = name.split("/");
  if (first === "library" && second !== undefined && third === undefined) return second;
  return second !== undefined && isHost(first) ? normalized : name;
}

/** Refuses what buildah, podman and skopeo take from other places than registries. @throws E_REF_INVALID */
export function refuseTransport(text: string): void {
  const name = transportOf(text);
  if (name !== undefined) throw invalid(text, `${name} is not a registry`);
}

/** No registry has images of these names. */
const transports =
  /^(?<name>oci-archive|docker-archive|docker-daemon|containers-storage|(?:oci|dir)(?=:[^@]*[/:])):(?!\/\/)/;

function transportOf(text: string): string | undefined {
  return transports.exec(text)?.groups?.["name"];
}

function invalid(text: string, why: string): TsbuildError {
  return new TsbuildError(`Cannot read image name ${JSON.stringify(text)}: ${why}`, {
    code: "E_REF_INVALID",
    hint: /^[a-z+-]+:\/\//.test(text)
      ? `leave out ${text.slice(0, text.indexOf("//") + 2)}`
      : (transportHint(text) ??
        "an image name is [host[:port]/]name[:tag][@digest], in lower case, for example debian:12"),
  });
}

function transportHint(text: string): string | undefined {
  const name = transportOf(text);
  const rest = text.slice((name ?? "").length + 1);
  switch (name) {
    case undefined:
      return undefined;
    case "oci-archive":
    case "docker-archive":
      return `load it, then use the name that is printed: tsbuild load -i ${rest}`;
    case "docker-daemon":
    case "containers-storage":
      return `bring it here, then use its name: ${name === "docker-daemon" ? "docker" : "podman"} save ${rest} | tsbuild load`;
    case "oci":
      return `name the directory, then build on the name: --build-context NAME=oci-layout://${rest}`;
    default:
      return "make an archive of it with skopeo copy, and load that: tsbuild load -i FILE";
  }
}
