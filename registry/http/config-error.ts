import { RegistryError } from "../errors.ts";

/** A configuration of registries that cannot be used: nothing is asked of any registry then. */
export function configError(
  file: string,
  why: string,
  options: { readonly cause?: unknown; readonly hint?: string } = {},
): RegistryError {
  return new RegistryError(`Cannot use ${file}: ${why}`, {
    code: "E_REGISTRY_CONFIG",
    hint: `mend ${file}`,
    ...options,
  });
}
