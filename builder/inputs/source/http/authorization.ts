import { TsbuildError } from "../../../../native/errors.ts";
import type { SecretSource } from "../../secrets/secrets.ts";
import type { UrlCredentials } from "../url-credentials.ts";

/**
 * The Authorization header for a URL: of the secrets HTTP_AUTH_TOKEN_<host> and HTTP_AUTH_HEADER_<host>, else of user and
 * password in the URL. @throws E_SECRET_READ
 */
export async function authorizationFor(
  url: string,
  secrets: SecretSource,
  credentials: UrlCredentials,
): Promise<string | undefined> {
  const { hostname } = new URL(url);
  const token = await headerText(secrets, `HTTP_AUTH_TOKEN_${hostname}`);
  if (token !== undefined) return `Bearer ${token}`;
  return (await headerText(secrets, `HTTP_AUTH_HEADER_${hostname}`)) ?? credentials.header(url);
}

/** A secret that is to be part of a header; files of secrets often end with a newline. @throws E_SECRET_READ */
export async function headerText(secrets: SecretSource, id: string): Promise<string | undefined> {
  const value = await secrets.get(id);
  if (value === undefined) return undefined;
  const text = Buffer.from(value).toString("utf8").trim();
  if (/^[\x20-\x7e]+$/.test(text)) return text;
  throw new TsbuildError(`Cannot use the secret ${id}: it is not one line of plain characters, as a header has to be`, {
    code: "E_SECRET_READ",
  });
}
