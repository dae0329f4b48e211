import type { TsbuildErrorOptions } from "../../../../native/errors.ts";
import { failureMessage, failureOf, HttpError } from "../../../../registry/http/failure.ts";
import { isTemporary } from "../../../../registry/http/retry.ts";

/** A URL that could not be fetched, or gave something else than was asked for. */
export class UrlError extends HttpError {
  override readonly name: string = "UrlError";
  /** undefined: another try is no use. */
  readonly retry: Retry | undefined;

  constructor(message: string, options: TsbuildErrorOptions & { readonly status?: number; readonly retry?: Retry }) {
    super(message, options);
    this.retry = options.retry;
  }
}

/** What an answer says of when to try again. */
export interface Retry {
  readonly status?: number;
  /** Retry-After. */
  readonly after?: string;
}

/** The error of a request that got no answer, or of a body that broke off. `way`: by what proxy. */
export function noAnswer(origin: string, cause: unknown, way: string | undefined): UrlError {
  const { host } = new URL(origin);
  const failure = failureOf(cause);
  const { kind, why } = failure;
  const made = (message: string, options: { code: string; hint: string; retry?: Retry }): UrlError =>
    new UrlError(message, { ...options, cause, notes: way === undefined ? [] : [way] });
  switch (kind) {
    case "near":
      return made(failureMessage(failure, host), {
        code: "E_URL_REDIRECT",
        hint: "services of this machine trust who asks them: name that URL itself if it is meant",
      });
    case "plain":
      return made(failureMessage(failure, host), { code: "E_URL_TLS", hint: "write http:// if that is meant" });
    case "certificate":
    case "client-certificate":
      return made(failureMessage({ ...failure, kind: "certificate" }, host), {
        code: "E_URL_TLS",
        hint: "give its CA in NODE_EXTRA_CA_CERTS=/path/ca.crt",
      });
    case "stalled":
    case "broken":
      return made(`Cannot read from ${host}: the connection broke off (${why})`, {
        code: "E_URL_UNREACHABLE",
        retry: {},
        hint: "try again",
      });
    default:
      return made(failureMessage({ ...failure, kind: "other" }, host), {
        code: "E_URL_UNREACHABLE",
        hint: "check the name and the network; with --checksum a file that was fetched before needs no server",
      });
  }
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
