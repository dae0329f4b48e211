import type { Credentials } from "../credentials/credentials.ts";
import { loginEndpoints, type Endpoint } from "../hosts/endpoints.ts";
import { HostConfig } from "../hosts/host-config.ts";
import type { RegistryOptions } from "../options.ts";
import { fetchToken } from "../transport/token.ts";
import { basicHeader } from "../http/basic-header.ts";
import { parseChallenges } from "../transport/challenge.ts";
import { RegistryError, unexpectedStatus, unreachable } from "../errors.ts";
import { tokenFetch } from "../transport/sender.ts";
import { HttpClient } from "../http/client.ts";
import { Retries } from "../http/retry.ts";

/** What a login works with. */
export interface LoginRequest {
  /** `host[:port]`. */
  readonly host: string;
  readonly credentials: Credentials;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks a registry whether it takes the credentials, as its own challenge says. A registry that asks for none takes any.
 * @throws E_REGISTRY_AUTH, RegistryError
 */
export async function askLogin(request: LoginRequest, options: RegistryOptions): Promise<void> {
  const config = new HostConfig(options.files);
  const http = new HttpClient(options, unreachable);
  let failed: unknown;
  try {
    for (const endpoint of loginEndpoints(request.host, { options, config })) {
      try {
        return await ask(http, config, endpoint, request);
      } catch (error) {
        if (!(error instanceof RegistryError) || error.status !== undefined) throw error;
        failed = error;
      }
    }
    throw failed;
  } finally {
    await http.close();
  }
}

async function ask(http: HttpClient, config: HostConfig, endpoint: Endpoint, request: LoginRequest): Promise<void> {
  const { host, credentials, signal } = request;
  const get = async (authorization?: string): ReturnType<HttpClient["request"]> => {
    const headers = { ...endpoint.headers, ...(authorization === undefined ? {} : { authorization }) };
    return await http.request(`${endpoint.api}/`, { method: "GET", headers, signal, tls: endpoint.tls });
  };
  const first = await get();
  await first.discard();
  if (first.status !== 401) return accept(first.status, host, endpoint);
  const challenges = parseChallenges(first.header("www-authenticate") ?? "");
  const bearer = challenges.find(({ scheme }) => scheme === "bearer");
  let authorization: string;
  if (bearer === undefined) {
    if (credentials.kind !== "basic") throw refused(host, 401);
    authorization = basicHeader(credentials.username, credentials.password);
  } else {
    const { origin } = new URL(endpoint.api);
    const fetch = tokenFetch(http, { endpoint, config, retries: () => new Retries(), signal });
    const found = await fetchToken(bearer, { scope: "", credentials, origin, nearness: first.nearness }, fetch);
    if (found.token === undefined) throw refused(host, 401).with(found.why === undefined ? [] : [found.why]);
    authorization = `Bearer ${found.token}`;
  }
  const second = await get(authorization);
  await second.discard();
  accept(second.status, host, endpoint);
}

function accept(status: number, host: string, endpoint: Endpoint): void {
  if (status >= 200 && status < 300) return;
  if (status === 401 || status === 403) throw refused(host, status);
  throw unexpectedStatus(`log in to ${host}`, endpoint.api, { status, body: "" });
}

function refused(host: string, status: number): RegistryError {
  return new RegistryError(`Cannot log in to ${host}: it refused the credentials (${status})`, {
    code: "E_REGISTRY_AUTH",
    status,
    hint: "check the user and the password; many registries want an access token in the password's place",
  });
}
