import type { Credentials } from "./credentials.ts";

/** docker's config.json or containers' auth.json, as far as it is about credentials. */
export interface AuthFile {
  readonly auths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly credHelpers: Readonly<Record<string, string>>;
  readonly credsStore: string | undefined;
}

/** docker's own key for docker.io. */
export const dockerHubKey = "https://index.docker.io/v1/";

/** Other names that docker.io has in these files. */
const hubNames: readonly string[] = [dockerHubKey, "index.docker.io", "registry-1.docker.io"];

/** The text of such a file; `legacy`: of a .dockercfg, which has the entries alone. undefined: it is damaged. */
export function parseAuthFile(text: string, legacy = false): AuthFile | undefined {
  // docker leaves empty files behind.
  const value = text.trim() === "" ? {} : parseQuietly(text);
  if (!isRecord(value)) return undefined;
  const whole = legacy && !("auths" in value) ? { auths: value } : value;
  const { auths, credHelpers, credsStore }: { auths?: unknown; credHelpers?: unknown; credsStore?: unknown } = whole;
  return {
    auths: Object.fromEntries(
      Object.entries(isRecord(auths) ? auths : {}).flatMap(([key, one]) => (isRecord(one) ? [[key, one]] : [])),
    ),
    credHelpers: Object.fromEntries(
      Object.entries(isRecord(credHelpers) ? credHelpers : {}).map(([key, one]) => [key, String(one)]),
    ),
    credsStore: typeof credsStore === "string" && credsStore !== "" ? credsStore : undefined,
  };
}

/** The program that keeps a host's credentials, and which setting says so. */
export function helperOf(
  file: AuthFile,
  host: string,
): { readonly program: string; readonly setting: string } | undefined {
  const names = host === "docker.io" ? [host, ...hubNames] : [host];
  const helpers = new Map(Object.entries(file.credHelpers));
  const own = names.map((name) => helpers.get(name)).find((helper) => helper !== undefined && helper !== "");
  if (own !== undefined) return { program: `docker-credential-${own}`, setting: `credHelpers "${own}"` };
  const { credsStore } = file;
  if (credsStore === undefined) return undefined;
  return { program: `docker-credential-${credsStore}`, setting: `credsStore "${credsStore}"` };
}

/** What `auths` has for a repository: the most specific path first, then the host in its spellings. */
export function findEntry({ auths }: AuthFile, host: string, path: string): Credentials | undefined {
  const parts = path.split("/").filter((part) => part !== "");
  const namespaces = parts.map((_, at) => [host, ...parts.slice(0, parts.length - at)].join("/"));
  const own = Object.keys(auths).filter((key) => oldForm.test(key) && hostOf(key) === host);
  const hub = host === "docker.io" ? hubNames : [];
  for (const key of [...namespaces, host, ...own, ...hub]) {
    const entry = Object.hasOwn(auths, key) ? auths[key] : undefined;
    const found = entry === undefined ? undefined : fromEntry(entry);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** `https://HOST/v1/`, `HOST/v2/`: how programs wrote the key of a host once. */
const oldForm = /^https?:\/\/|^[^/]+\/v[12]\/?$/;

function hostOf(key: string): string {
  return key.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
}

/** @see docker, cli/config/configfile */
function fromEntry(entry: Readonly<Record<string, unknown>>): Credentials | undefined {
  const { identitytoken, registrytoken, auth, username, password } = entry;
  if (typeof identitytoken === "string" && identitytoken !== "") return { kind: "identity", token: identitytoken };
  if (typeof registrytoken === "string" && registrytoken !== "") return { kind: "registry", token: registrytoken };
  if (typeof auth === "string" && auth !== "") {
    const text = Buffer.from(auth, "base64").toString("utf8");
    const at = text.indexOf(":");
    if (at > 0) return userOrToken(text.slice(0, at), text.slice(at + 1).replace(/\0+$/, ""));
  }
  if (typeof username === "string" && username !== "" && typeof password === "string")
    return userOrToken(username, password);
  return undefined;
}

/** The user `<token>` is none: the password is an identity token. */
export function userOrToken(username: string, password: string): Credentials {
  return username === "<token>" ? { kind: "identity", token: password } : { kind: "basic", username, password };
}

function parseQuietly(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
