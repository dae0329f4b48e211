import type { LoginRequest } from "./login-check.ts";
import type { RegistryOptions } from "../options.ts";

/**
 * Asks a registry whether it takes the credentials, as its own challenge says. A registry that asks for none takes any.
 * @throws E_REGISTRY_AUTH, RegistryError
 */
export async function checkLogin(request: LoginRequest, options: RegistryOptions): Promise<void> {
  const { askLogin } = await import("./login-check.ts");
  await askLogin(request, options);
}
