import type { SecureContext } from "node:tls";
import { configError } from "./config-error.ts";

/** How a server is trusted and told who asks, beyond what holds for every server. PEM texts. */
export interface TlsOptions {
  /** Authorities that are trusted beside the usual ones. */
  readonly ca: readonly string[];
  readonly clients: readonly { readonly cert: string; readonly key: string }[];
  /** Whether the server's certificate is verified. */
  readonly verify: boolean;
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

/** As a connector of undici's takes it. */
export interface SecureOptions {
  readonly secureContext?: SecureContext;
  readonly rejectUnauthorized?: false;
}

/** The usual authorities and the given ones; a client's certificate is shown to this server alone. */
export function secureOptions(options: TlsOptions | undefined, systemTrust: boolean): SecureOptions {
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
