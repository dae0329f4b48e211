import { basicHeader } from "../../../registry/http/basic-header.ts";
import { splitUrl, withoutUser, type UserInfo } from "../../base/split-url.ts";
import type { SecretMask } from "../secrets/secret-mask.ts";

/** Users and passwords that stood in URLs. They are kept here alone: what is shown, stored and compared has none. */
export class UrlCredentials {
  readonly #known = new Map<string, UserInfo>();
  readonly #mask: SecretMask;

  constructor(mask: SecretMask) {
    this.#mask = mask;
  }

  /** The URL without user and password, which are remembered for it. */
  take(url: string): string {
    const parts = splitUrl(url);
    if (parts?.userinfo === undefined) return url;
    const clean = withoutUser(url);
    this.keep(clean, parts.userinfo);
    return clean;
  }

  /** Remembers them for a URL that has none. */
  keep(clean: string, userinfo: UserInfo): void {
    this.#known.set(clean, userinfo);
    this.#mask.add(Buffer.from(userinfo.password ?? userinfo.username));
  }

  of(clean: string): UserInfo | undefined {
    return this.#known.get(clean);
  }

  /** The value of an Authorization header. */
  header(clean: string): string | undefined {
    const userinfo = this.#known.get(clean);
    return userinfo === undefined ? undefined : basicHeader(userinfo.username, userinfo.password ?? "");
  }
}
