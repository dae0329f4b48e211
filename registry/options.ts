/** Where the configuration of a machine's registries is. All are absolute; what is not there counts as empty. */
export interface RegistryFiles {
  /** registries.conf: the first that is there counts, with its directories of drop-ins. */
  readonly registriesConf?: readonly {
    readonly file: string;
    readonly dropIns: readonly string[];
    /** It was asked for by name: an error if it is not there. */
    readonly required?: boolean;
  }[];
  /** Directories with certificates by `host[:port]`: the first that has the host counts. */
  readonly certsDirs?: readonly string[];
  /** Directories with a hosts.toml by `host[:port]`. */
  readonly hostsDirs?: readonly string[];
  /** policy.json: the first that is there counts. */
  readonly policies?: readonly string[];
}

/** docker's config.json or containers' auth.json: a file, or its text as in DOCKER_AUTH_CONFIG. */
export type CredentialSource =
  | {
      readonly kind: "file";
      readonly path: string;
      /** It was asked for by name: an error if it is not there. */
      readonly required?: boolean;
    }
  | { readonly kind: "json"; readonly name: string; readonly text: string };

/** What is wrong and does not stop the work. */
export interface RegistryWarning {
  /** Stable: `W_CREDENTIAL_HELPER`. */
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

/** How registries are reached; every value is resolved, nothing is read from the environment here. */
export interface RegistryOptions {
  /** host -> URLs tried first, in order: { "docker.io": ["http://127.0.0.1:5000"] }. */
  readonly mirrors?: Readonly<Record<string, readonly string[]>>;
  /** Hosts whose certificates are not verified and that may speak plain http (localhost and 127.0.0.0/8 always may); `*`: all. */
  readonly insecure?: readonly string[];
  /** Where credentials are looked for: the first source that has the registry wins. */
  readonly credentials?: readonly CredentialSource[];
  /** Told of what does not stop the work: a credential helper that is missing. */
  readonly onWarning?: (warning: RegistryWarning) => void;
  /** Configuration of other programs that is honoured too; nothing by default. */
  readonly files?: RegistryFiles;
  /** Milliseconds without a byte after which a server, or a credential helper, is given up; default 30 s. */
  readonly patience?: number;
  /** The environment for helpers and proxies: PATH, HTTP_PROXY, HTTPS_PROXY, NO_PROXY. */
  readonly env?: Readonly<Record<string, string>>;
}
