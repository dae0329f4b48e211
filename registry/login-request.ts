import type { Credentials } from "./credentials/credentials.ts";

/** What a login works with. */
export interface LoginRequest {
  /** `host[:port]`. */
  readonly host: string;
  readonly credentials: Credentials;
  readonly signal?: AbortSignal | undefined;
}
