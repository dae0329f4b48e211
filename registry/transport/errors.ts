import { TsbuildError } from "../../native/errors.ts";
import { retryAfterDelay } from "./retry.ts";

/** A registry that could not be reached or did not do what was asked. */
export class RegistryError extends TsbuildError {
  override readonly name: string = "RegistryError";
  /** HTTP status; undefined when there was no answer. */
  readonly status: number | undefined;
  /** The registry's own code: MANIFEST_UNKNOWN ... */
  readonly detail: string | undefined;

  constructor(
    message: string,
    options: {
      readonly code: string;
      readonly status?: number | undefined;
      readonly detail?: string | undefined;
      readonly hint?: string;
      readonly notes?: readonly string[];
      readonly cause?: unknown;
    },
  ) {
    super(message, options);
    this.status = options.status;
    this.detail = options.detail;
  }

  /** The same error with more facts, and other advice. */
  with(notes: readonly string[], hint: string | undefined = this.hint): RegistryError {
    const { code, status, detail } = this;
    return new RegistryError(this.message, {
      code,
      status,
      detail,
      cause: this,
      notes: [...this.notes, ...notes],
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

/** The cause of a body that came too slowly. */
export class StalledError extends Error {
  override readonly name: string = "StalledError";
  readonly code: string = "ESTALLED";
}

/** The error of a request that got no answer; `env` tells of proxies. */
export function unreachable(origin: string, cause: unknown, env: Readonly<Record<string, string>> = {}): RegistryError {
  const code = errorCode(cause);
  const host = new URL(origin).host;
  const text = cause instanceof Error ? cause.message : String(cause);
  if (/wrong version number|packet length too long|EPROTO|ssl3_get_record/i.test(`${code} ${text}`)) {
    return new RegistryError(`Cannot talk to ${host}: it answered plain HTTP to a TLS hello`, {
      code: "E_REGISTRY_HTTP",
      cause,
      hint: `--insecure-registry ${host}, or [[registry]] with insecure = true in /etc/containers/registries.conf`,
    });
  }
  if (/^(?:ESTALLED|UND_ERR_(?:HEADERS|BODY)_TIMEOUT)$/.test(code)) {
    return new RegistryError(`Cannot wait for ${host}: it does not go on`, {
      code: "E_REGISTRY_STALLED",
      cause,
      hint: "try again, with more time: TSBUILD_REGISTRY_TIMEOUT=5m; or name a mirror: --registry-mirror HOST=URL",
    });
  }
  if (/^ERR_SSL_.*ALERT.*(?:CERTIFICATE|HANDSHAKE_FAILURE|UNKNOWN_CA|ACCESS_DENIED)/.test(code)) {
    return new RegistryError(`Cannot talk to ${host}: it does not take the client's certificate, or wants one`, {
      code: "E_REGISTRY_TLS",
      cause,
      hint: `put client.cert and client.key into /etc/containers/certs.d/${host}/`,
    });
  }
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS/.test(code)) {
    return new RegistryError(`Cannot trust ${host}: its certificate is not valid here (${code})`, {
      code: "E_REGISTRY_TLS",
      cause,
      hint: `put its CA into /etc/containers/certs.d/${host}/ca.crt, or --insecure-registry ${host}`,
    });
  }
  return new RegistryError(`Cannot connect to ${host} (${code === "" ? text : code})`, {
    code: "E_REGISTRY_UNREACHABLE",
    cause,
    notes: proxyNotes(origin, code, env),
    hint: "check the name and the network, or name a mirror: --registry-mirror HOST=URL",
  });
}

/** Behind a firewall it is the proxy that is missing, or that does not answer. */
function proxyNotes(origin: string, code: string, env: Readonly<Record<string, string>>): readonly string[] {
  const name = origin.startsWith("https:") ? "HTTPS_PROXY" : "HTTP_PROXY";
  const proxy = env[name.toLowerCase()] ?? env[name] ?? env["http_proxy"] ?? env["HTTP_PROXY"] ?? "";
  if (proxy !== "")
    return [`by the proxy ${URL.parse(proxy.includes("://") ? proxy : `http://${proxy}`)?.host ?? name} (${name})`];
  return ["ENOTFOUND", "EAI_AGAIN", "ETIMEDOUT", "ENETUNREACH"].includes(code) ? [`${name} is not set`] : [];
}

function errorCode(error: unknown): string {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ("code" in at && typeof at.code === "string" && !at.code.startsWith("UND_ERR_SOCKET")) return at.code;
  }
  return "";
}

/** The error of an answer that is none of those expected. `act` is what was asked for: `pull app:1`. */
export function unexpectedStatus(
  act: string,
  origin: string,
  answer: { readonly status: number; readonly body: string; readonly retryAfter?: string | undefined },
  tried: readonly string[] = [],
): RegistryError {
  const { status, body } = answer;
  const host = new URL(origin).host;
  const detail = registryCode(body);
  const said = detail === undefined ? `${status}` : `${status} ${detail}`;
  const common = { status, detail };
  if (status === 401 || status === 403) {
    return new RegistryError(`Cannot ${act}: ${host} refused it (${said})`, {
      ...common,
      code: "E_REGISTRY_AUTH",
      notes: tried.length === 0 ? ["no credentials for it were found"] : tried.map((one) => `tried ${one}`),
      hint: `tsbuild login ${registryName(host)}`,
    });
  }
  if (status === 404) {
    return new RegistryError(`Cannot ${act}: ${host} does not have it (${said}), or it is private`, {
      ...common,
      code: "E_REGISTRY_NOT_FOUND",
      hint: "check the name and the tag",
    });
  }
  if (status === 429) {
    return new RegistryError(`Cannot ${act}: ${host} limits the rate of requests (${said})`, {
      ...common,
      code: "E_REGISTRY_RATE",
      notes: waitNotes(answer.retryAfter),
      hint: "wait, log in, or use a mirror: --registry-mirror HOST=URL",
    });
  }
  return new RegistryError(`Cannot ${act}: ${host} answered ${said}`, {
    ...common,
    code: "E_REGISTRY_STATUS",
    notes: waitNotes(answer.retryAfter),
    hint: "try again later, or use a mirror: --registry-mirror HOST=URL",
  });
}

/** For how long a server does not want to be asked. */
function waitNotes(retryAfter: string | undefined): readonly string[] {
  const seconds = Math.ceil((retryAfterDelay(retryAfter) ?? 0) / 1000);
  return seconds > 0 && Number.isSafeInteger(seconds) ? [`it wants to be asked again in ${seconds} s`] : [];
}

/** The name that the host of docker.io's API is known by. */
function registryName(host: string): string {
  return host === "registry-1.docker.io" ? "docker.io" : host;
}

function registryCode(body: string): string | undefined {
  try {
    const value: { errors?: { code?: unknown }[] } = JSON.parse(body);
    const code = value.errors?.[0]?.code;
    return typeof code === "string" && /^[A-Z_]{1,60}$/.test(code) ? code : undefined;
  } catch {
    return undefined;
  }
}
