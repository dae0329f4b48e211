import { TsbuildError, type TsbuildErrorOptions } from "../../../native/errors.ts";
import { isTemporary } from "../../../registry/transport/retry.ts";

/** A URL that could not be fetched, or gave something else than was asked for. */
export class UrlError extends TsbuildError {
  override readonly name: string = "UrlError";
  /** HTTP status; undefined when there was no answer. */
  readonly status: number | undefined;
  /** undefined: another try is no use. */
  readonly retry: Retry | undefined;

  constructor(message: string, options: TsbuildErrorOptions & { readonly status?: number; readonly retry?: Retry }) {
    super(message, options);
    this.status = options.status;
    this.retry = options.retry;
  }
}

/** What an answer says of when to try again. */
export interface Retry {
  readonly status?: number;
  /** Retry-After. */
  readonly after?: string;
}

/** What a connection that was there and broke says. */
const broken =
  /ECONNRESET|ESTALLED|EPIPE|ETIMEDOUT|UND_ERR_(?:SOCKET|HEADERS_TIMEOUT|BODY_TIMEOUT|RES_CONTENT_LENGTH_MISMATCH)|other side closed|terminated/;

/** The error of a request that got no answer, or of a body that broke off. */
export function noAnswer(origin: string, cause: unknown): UrlError {
  const { host } = new URL(origin);
  const code = causeCode(cause);
  const text = cause instanceof Error ? cause.message : String(cause);
  if (/wrong version number|packet length too long|EPROTO|ssl3_get_record/i.test(`${code} ${text}`)) {
    return new UrlError(`Cannot talk to ${host}: it answered plain HTTP to a TLS hello`, {
      code: "E_URL_TLS",
      cause,
      hint: "write http:// if that is meant",
    });
  }
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS/.test(code)) {
    return new UrlError(`Cannot trust ${host}: its certificate is not valid here (${code})`, {
      code: "E_URL_TLS",
      cause,
      hint: "give its CA in NODE_EXTRA_CA_CERTS=/path/ca.crt",
    });
  }
  const why = code === "" ? text : code;
  if (broken.test(`${code} ${text}`)) {
    return new UrlError(`Cannot read from ${host}: the connection broke off (${why})`, {
      code: "E_URL_UNREACHABLE",
      cause,
      retry: {},
      hint: "try again",
    });
  }
  return new UrlError(`Cannot connect to ${host} (${why})`, {
    code: "E_URL_UNREACHABLE",
    cause,
    hint: "check the name and the network; with --checksum a file that was fetched before needs no server",
  });
}

function causeCode(error: unknown): string {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ("code" in at && typeof at.code === "string") return at.code;
  }
  return "";
}

/** The error of an answer that is no file. */
export function badStatus(url: string, answer: { readonly status: number; readonly after?: string }): UrlError {
  const { status } = answer;
  const { hostname } = new URL(url);
  if (status === 401 || status === 403 || status === 407) {
    return new UrlError(`Cannot fetch ${url}: ${hostname} refused it (${status})`, {
      code: "E_URL_AUTH",
      status,
      hint: `give a token: --secret id=HTTP_AUTH_TOKEN_${hostname},env=TOKEN, or a whole header as HTTP_AUTH_HEADER_${hostname}`,
    });
  }
  if (status === 404 || status === 410) {
    return new UrlError(`Cannot fetch ${url}: ${hostname} does not have it (${status})`, {
      code: "E_URL_NOT_FOUND",
      status,
      hint: "check the path; a server may also say this to who is not logged in",
    });
  }
  return new UrlError(`Cannot fetch ${url}: ${hostname} answered ${status}`, {
    code: "E_URL_STATUS",
    status,
    ...(isTemporary(status) ? { retry: answer } : {}),
  });
}
