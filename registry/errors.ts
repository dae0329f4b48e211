import { failureMessage, failureOf, HttpError, type FailureKind } from "./http/failure.ts";
import { variableFor } from "./http/proxy-variable.ts";
import { retryAfterDelay } from "./http/retry.ts";

/** A registry that could not be reached or did not do what was asked. */
export class RegistryError extends HttpError {
  override readonly name: string = "RegistryError";
  /** The registry's own code: MANIFEST_UNKNOWN ... */
  readonly detail: string | undefined;
  /** When the server wants to be asked again, as it said. */
  readonly retryAfter: string | undefined;

  constructor(
    message: string,
    options: {
      readonly code: string;
      readonly status?: number | undefined;
      readonly detail?: string | undefined;
      readonly kind?: FailureKind | undefined;
      readonly retryAfter?: string | undefined;
      readonly hint?: string;
      readonly notes?: readonly string[];
      readonly cause?: unknown;
    },
  ) {
    super(message, options);
    this.detail = options.detail;
    this.retryAfter = options.retryAfter;
  }

  /** The same error with more facts, and other advice. */
  with(notes: readonly string[], hint: string | undefined = this.hint): RegistryError {
    const { code, status, detail, kind, retryAfter } = this;
    return new RegistryError(this.message, {
      code,
      status,
      detail,
      kind,
      retryAfter,
      cause: this,
      notes: [...this.notes, ...notes],
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

/** What is found behind a firewall where the proxy is missing. */
const mayNeedProxy = /^(?:ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT)$/;

/** The error of a request that got no answer. `way`: by what proxy, if any. */
export function unreachable(origin: string, cause: unknown, way: string | undefined): RegistryError {
  const failure = failureOf(cause);
  const { kind, why } = failure;
  const { host, protocol } = new URL(origin);
  const missing = mayNeedProxy.test(why) ? [`${variableFor({ protocol })} is not set`] : [];
  const { code, hint, onTheWay } = adviceFor(kind, host);
  const notes = onTheWay === true ? (way === undefined ? missing : [way]) : [];
  return new RegistryError(failureMessage(failure, host), { code, hint, notes, kind, cause });
}

/** `onTheWay`: a proxy, or that there is none, may be why. */
function adviceFor(
  kind: FailureKind,
  host: string,
): { readonly code: string; readonly hint: string; readonly onTheWay?: true } {
  switch (kind) {
    case "near":
      return {
        code: "E_REGISTRY_REDIRECT",
        hint: "name that place yourself if it is meant: --registry-mirror HOST=URL",
      };
    case "plain":
      return {
        code: "E_REGISTRY_HTTP",
        hint: `--insecure-registry ${host}, or [[registry]] with insecure = true in /etc/containers/registries.conf`,
      };
    case "stalled":
      return {
        code: "E_REGISTRY_STALLED",
        hint: "try again, with more time: TSBUILD_REGISTRY_TIMEOUT=5m; or name a mirror: --registry-mirror HOST=URL",
      };
    case "client-certificate":
      return {
        code: "E_REGISTRY_TLS",
        hint: `put client.cert and client.key into /etc/containers/certs.d/${host}/`,
      };
    case "certificate":
      return {
        code: "E_REGISTRY_TLS",
        hint: `put its CA into /etc/containers/certs.d/${host}/ca.crt, or --insecure-registry ${host}`,
      };
    case "proxy-refused":
      return {
        code: "E_REGISTRY_UNREACHABLE",
        hint: "give user and password in the variable: http://user:password@host:port",
        onTheWay: true,
      };
    default:
      return {
        code: "E_REGISTRY_UNREACHABLE",
        hint: "check the name and the network, or name a mirror: --registry-mirror HOST=URL",
        onTheWay: true,
      };
  }
}

/** An answer that is none of those expected. */
interface Unexpected {
  readonly status: number;
  readonly body: string;
  readonly retryAfter?: string | undefined;
  /** The host that a registry sent the request to. */
  readonly elsewhere?: string | undefined;
}

/** The error of such an answer. `act` is what was asked for: `pull app:1`. */
export function unexpectedStatus(
  act: string,
  origin: string,
  answer: Unexpected,
  tried: readonly string[] = [],
): RegistryError {
  const { status, retryAfter } = answer;
  const detail = registryCode(answer.body);
  const said = detail === undefined ? `${status}` : `${status} ${detail}`;
  const { why, ...advice } = adviceOn(answer, { host: new URL(origin).host, said, tried });
  return new RegistryError(`Cannot ${act}: ${why}`, { status, detail, retryAfter, ...advice });
}

interface StatusAdvice {
  readonly why: string;
  readonly code: string;
  readonly notes?: readonly string[];
  readonly hint: string;
}

function adviceOn(
  { status, retryAfter, elsewhere }: Unexpected,
  { host, said, tried }: { readonly host: string; readonly said: string; readonly tried: readonly string[] },
): StatusAdvice {
  if (status === 413) {
    return {
      why: `${host} takes no body of that size (413)`,
      code: "E_REGISTRY_BODY_SIZE",
      notes: ["mostly it is a proxy before the registry that has a limit, not the registry"],
      hint: "raise that limit (nginx: client_max_body_size 0; Cloudflare: the plan's), or make the layer smaller",
    };
  }
  if (elsewhere !== undefined) {
    return {
      why: `${elsewhere}, where ${host} sends it, answered ${said}`,
      code: "E_REGISTRY_STATUS",
      notes: status === 401 ? ["credentials are for the registry alone and are sent nowhere else"] : [],
      hint: "try again; if it stays so, the registry's storage or a proxy before it is set up wrongly",
    };
  }
  if (status === 401 || status === 403) {
    const notes = tried.length === 0 ? ["no credentials for it were found"] : tried.map((one) => `tried ${one}`);
    const hint = `tsbuild login ${registryName(host)}`;
    return { why: `${host} refused it (${said})`, code: "E_REGISTRY_AUTH", notes, hint };
  }
  if (status === 404) {
    const why = `${host} does not have it (${said}), or it is private`;
    return { why, code: "E_REGISTRY_NOT_FOUND", hint: "check the name and the tag" };
  }
  const notes = waitNotes(retryAfter);
  if (status === 429) {
    const hint = "wait, log in, or use a mirror: --registry-mirror HOST=URL";
    return { why: `${host} limits the rate of requests (${said})`, code: "E_REGISTRY_RATE", notes, hint };
  }
  const hint = "try again later, or use a mirror: --registry-mirror HOST=URL";
  return { why: `${host} answered ${said}`, code: "E_REGISTRY_STATUS", notes, hint };
}

/** The error of a token service that does not answer now: that is no matter of credentials. */
export function tokenError(
  origin: string,
  why: string,
  answer: { readonly status: number; readonly retryAfter: string | undefined },
): RegistryError {
  return new RegistryError(`Cannot get a token for ${new URL(origin).host}: ${why}`, {
    status: answer.status,
    code: answer.status === 429 ? "E_REGISTRY_RATE" : "E_REGISTRY_STATUS",
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
