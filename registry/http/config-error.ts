import { TsbuildError } from "../../native/errors.ts";

/** A configuration of registries or proxies that cannot be used: nothing is asked of any server then. */
export function configError(
  file: string,
  why: string,
  options: { readonly cause?: unknown; readonly hint?: string } = {},
): TsbuildError {
  return new TsbuildError(`Cannot use ${file}: ${why}`, {
    code: "E_REGISTRY_CONFIG",
    hint: `mend ${file}`,
    ...options,
  });
}
