import type { Credentials } from "./credentials/credentials.ts";
import type { RegistryOptions } from "./options.ts";

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
export async function checkLogin(request: LoginRequest, options: RegistryOptions): Promise<void> {
  const { askLogin } = await import("./login-check.ts");
  await askLogin(request, options);
}
