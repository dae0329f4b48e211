import { configError } from "../http/config-error.ts";

/** What a policy says of one image: `what` is the requirement that cannot be met. */
export interface Verdict {
  readonly what: string;
  /** The scope that says it: `docker.io/library`, or default. */
  readonly scope: string;
}

/**
 * Whether a policy.json lets an image be pulled: undefined, or what forbids it. `reject` forbids, and so do
 * signatures that are required, because they are not verified here. @throws E_REGISTRY_CONFIG
 * @see containers-policy.json(5)
 */
export function judge(text: string, file: string, name: string, tag: string): Verdict | undefined {
  const policy = parsePolicy(text, file);
  const docker = record(member(policy, "transports") ?? {}, file);
  const scopes = record(docker["docker"] ?? {}, file);
  const scope = scopeOf(Object.keys(scopes), name, tag);
  const requirements = scope === undefined ? member(policy, "default") : scopes[scope];
  if (!Array.isArray(requirements)) throw configError(file, "there is no list of requirements for default");
  const types: readonly unknown[] = requirements.map((one: unknown) => member(one, "type"));
  const odd = types.find((type) => type !== "insecureAcceptAnything");
  if (odd === undefined) return undefined;
  return { what: String(odd), scope: scope === undefined ? "default" : scope === "" ? "docker" : scope };
}

/**
 * The scope that counts: the image, its repository or what is above it, a wildcard of its host, the transport's own. Of
 * those that hold the most specific one; each is compared once, however long the name is.
 */
function scopeOf(scopes: readonly string[], name: string, tag: string): string | undefined {
  const image = `${name}${tag}`;
  if (scopes.includes(image)) return image;
  const host = name.slice(0, indexOrEnd(name, "/")).replace(/:\d+$/, "");
  const holds = (scope: string): boolean => name === scope || (scope !== "" && name.startsWith(`${scope}/`));
  const matches = (scope: string): boolean => scope.startsWith("*.") && host.endsWith(scope.slice(1));
  return longest(scopes.filter(holds)) ?? longest(scopes.filter(matches)) ?? scopes.find((one) => one === "");
}

function longest(texts: readonly string[]): string | undefined {
  return texts.reduce<string | undefined>((best, one) => (one.length > (best?.length ?? -1) ? one : best), undefined);
}

function indexOrEnd(text: string, part: string): number {
  const at = text.indexOf(part);
  return at < 0 ? text.length : at;
}

function parsePolicy(text: string, file: string): Readonly<Record<string, unknown>> {
  try {
    return record(JSON.parse(text), file);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw configError(file, `it is no JSON: ${cause.message}`, { cause });
  }
}

function record(value: unknown, file: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  throw configError(file, "there is something else in the place of a table");
}

function member(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? Object.getOwnPropertyDescriptor(value, key)?.value : undefined;
}
