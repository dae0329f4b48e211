import type { SecureContext } from "node:tls";
import type { Dispatcher } from "undici";
import type { TlsOptions } from "../hosts/certificates.ts";
import { configError } from "../hosts/config-error.ts";
import { proxyUrl } from "./proxy.ts";

type Undici = typeof import("undici");

const connectTimeout = 15_000;

/** Connections to servers that are trusted in one way, through the proxies of the environment. */
export function dispatcherFor(
  undici: Undici,
  env: Readonly<Record<string, string>>,
  trust: { readonly tls: TlsOptions | undefined; readonly systemTrust: boolean },
): Dispatcher {
  const [httpProxy, httpsProxy] = [proxyUrl(env, "HTTP_PROXY"), proxyUrl(env, "HTTPS_PROXY")];
  const noProxy = env["no_proxy"] ?? env["NO_PROXY"];
  const secure = secureOptions(trust.tls, trust.systemTrust);
  const common = { connect: { timeout: connectTimeout, ...secure }, connections: 6 };
  if (httpProxy === undefined && httpsProxy === undefined) return new undici.Agent(common);
  return new undici.EnvHttpProxyAgent({
    ...common,
    requestTls: secure,
    ...(httpProxy === undefined ? {} : { httpProxy }),
    ...(httpsProxy === undefined ? {} : { httpsProxy }),
    ...(noProxy === undefined ? {} : { noProxy }),
  });
}

/** Whether a connection failed because nobody known vouches for the server's certificate. */
export function isUntrusted(error: unknown): boolean {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ("code" in at && typeof at.code === "string" && untrusted.has(at.code)) return true;
  }
  return false;
}

const untrusted: ReadonlySet<string> = new Set([
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
]);

interface SecureOptions {
  readonly secureContext?: SecureContext;
  readonly rejectUnauthorized?: false;
}

/** The usual authorities and the given ones; a client's certificate is shown to this server alone. */
function secureOptions(options: TlsOptions | undefined, systemTrust: boolean): SecureOptions {
  const { ca = [], clients = [], verify = true } = options ?? {};
  const unverified = verify ? {} : ({ rejectUnauthorized: false } as const);
  if (ca.length === 0 && clients.length === 0 && !systemTrust) return unverified;
  // Loaded here: at a start of the command it would cost 13 ms of CPU.
  const tls = process.getBuiltinModule("node:tls");
  const usual = [...tls.getCACertificates("default"), ...(systemTrust ? tls.getCACertificates("system") : [])];
  try {
    const secureContext = tls.createSecureContext({
      ca: [...new Set([...usual, ...ca])],
      cert: clients.map(({ cert }) => cert),
      key: clients.map(({ key }) => key),
    });
    return { secureContext, ...unverified };
  } catch (cause) {
    throw configError("the certificates of a registry", cause instanceof Error ? cause.message : "", { cause });
  }
}
