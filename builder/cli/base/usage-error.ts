import { TsbuildError, type TsbuildErrorOptions } from "../../../native/errors.ts";

/** The command line or a setting is wrong: exit code 2, nothing was done. */
export class UsageError extends TsbuildError {
  override readonly name: string = "UsageError";

  constructor(message: string, options: Partial<TsbuildErrorOptions> & { readonly hint: string }) {
    super(message, { code: "E_USAGE", ...options });
  }
}
