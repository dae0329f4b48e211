import { TsbuildError, type TsbuildErrorOptions } from "../../native/errors.ts";
import { NearAddressError } from "./address.ts";

/**
 * Why a request got no answer, or a body broke off. `broken`: the connection did not come about or not to its end, which
 * may go otherwise the next time; `stalled`: it is there and nothing moves; `near`: it was not to be made.
 */
export type FailureKind =
  | "near"
  | "stalled"
  | "broken"
  | "unnamed"
  | "plain"
  | "client-certificate"
  | "certificate"
  | "proxy-refused"
  | "other";

export interface Failure {
  readonly kind: FailureKind;
  /** What is told of it: a code where there is one. */
  readonly why: string;
}

/** The cause of what came or went too slowly. */
export class StalledError extends Error {
  override readonly name: string = "StalledError";
  readonly code: string = "ESTALLED";
}

/** The error of a request: it got an answer that is of no use (`status`), or none (`kind`). */
export class HttpError extends TsbuildError {
  override readonly name: string = "HttpError";
  /** HTTP status; undefined when there was no answer. */
  readonly status: number | undefined;
  /** Why there was no answer; undefined when there was one. */
  readonly kind: FailureKind | undefined;

  constructor(
    message: string,
    options: TsbuildErrorOptions & { readonly status?: number | undefined; readonly kind?: FailureKind | undefined },
  ) {
    super(message, options);
    this.status = options.status;
    this.kind = options.kind;
  }
}

const kinds: readonly (readonly [FailureKind, RegExp])[] = [
  ["near", /^ENEAR$/],
  ["stalled", /^(?:ESTALLED|UND_ERR_(?:HEADERS|BODY)_TIMEOUT)$/],
  ["unnamed", /^(?:ENOTFOUND|EAI_AGAIN|EAI_NODATA)$/],
  ["plain", /^(?:EPROTO|ERR_SSL_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG))$/],
  ["client-certificate", /^ERR_SSL_.*ALERT.*(?:CERTIFICATE|HANDSHAKE_FAILURE|UNKNOWN_CA|ACCESS_DENIED)/],
  ["certificate", /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS/],
  [
    "broken",
    /^(?:ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|UND_ERR_(?:SOCKET|CONNECT_TIMEOUT|INFO|RES_CONTENT_LENGTH_MISMATCH|PRX_TLS))$/,
  ],
];

/** What undici and Node tell of a cause, by their codes; those that they give none are known by their words. */
export function failureOf(cause: unknown): Failure {
  const text = cause instanceof Error ? cause.message : String(cause);
  if (/\b407\b/.test(text) && /prox/i.test(text)) return { kind: "proxy-refused", why: "407" };
  const codes = codesOf(cause);
  const code = codes.find((one) => one !== "UND_ERR_SOCKET");
  if (/wrong version number|packet length too long|ssl3_get_record/i.test(text)) return { kind: "plain", why: text };
  for (const [kind, pattern] of kinds)
    if (codes.some((one) => pattern.test(one)))
      return { kind, why: kind === "near" ? nearWords(cause) : (code ?? text) };
  return { kind: /terminated|other side closed/.test(text) ? "broken" : "other", why: code ?? text };
}

/** What a failure means, whoever asked: the beginning of every message about it. */
export function failureMessage({ kind, why }: Failure, host: string): string {
  switch (kind) {
    case "near":
      return `Cannot follow to ${host}: ${why}, and the server that leads there is not`;
    case "plain":
      return `Cannot talk to ${host}: it answered plain HTTP to a TLS hello`;
    case "stalled":
      return `Cannot wait for ${host}: it does not go on`;
    case "client-certificate":
      return `Cannot talk to ${host}: it does not take the client's certificate, or wants one`;
    case "certificate":
      return `Cannot trust ${host}: its certificate is not valid here (${why})`;
    case "proxy-refused":
      return `Cannot connect to ${host}: the proxy wants to know who asks (407)`;
    default:
      return `Cannot connect to ${host} (${why})`;
  }
}

function codesOf(cause: unknown): readonly string[] {
  const codes: string[] = [];
  for (let at: unknown = cause; at instanceof Error; at = at.cause)
    if ("code" in at && typeof at.code === "string") codes.push(at.code);
  return codes;
}

function nearWords(cause: unknown): string {
  for (let at: unknown = cause; at instanceof Error; at = at.cause)
    if (at instanceof NearAddressError) return at.message;
  return "it is this machine";
}
