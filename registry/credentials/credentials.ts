/** What a registry is given to know who asks. */
export type Credentials =
  | { readonly kind: "basic"; readonly username: string; readonly password: string }
  /** An OAuth2 refresh token. */
  | { readonly kind: "identity"; readonly token: string }
  /** A bearer token, used as it is. */
  | { readonly kind: "registry"; readonly token: string };
