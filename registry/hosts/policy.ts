import { configError } from "./config-error.ts";

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
  const scope = scopesOf(name, tag).find((one) => Object.hasOwn(scopes, one));
  const requirements = scope === undefined ? member(policy, "default") : scopes[scope];
  if (!Array.isArray(requirements)) throw configError(file, "there is no list of requirements for default");
  const types: readonly unknown[] = requirements.map((one: unknown) => member(one, "type"));
  const odd = types.find((type) => type !== "insecureAcceptAnything");
  if (odd === undefined) return undefined;
  return { what: String(odd), scope: scope === undefined ? "default" : scope === "" ? "docker" : scope };
}

/** From the most specific to the transport's own: the image, its repository, what is above it, wildcards of the host. */
function scopesOf(name: string, tag: string): readonly string[] {
  const parts = name.split("/");
  const parents = parts.map((_, at) => parts.slice(0, parts.length - at).join("/"));
  const labels = (parts[0] ?? "").replace(/:\d+$/, "").split(".");
  const wildcards = labels.slice(1).map((_, at) => `*.${labels.slice(at + 1).join(".")}`);
  return [`${name}${tag}`, ...parents, ...wildcards, ""];
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
