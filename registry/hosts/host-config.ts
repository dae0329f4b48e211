import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { errorMessage } from "../../native/errors.ts";
import type { Reference } from "../../store/oci/reference.ts";
import type { RegistryFiles } from "../options.ts";
import { RegistryError } from "../errors.ts";
import type { TlsOptions } from "../http/tls.ts";
import { findCertificates, readTls, type CertificateFiles } from "./certificates.ts";
import { configError } from "../http/config-error.ts";
import { parseHostsToml, type HostsFile } from "./hosts-toml.ts";
import { judge } from "./policy.ts";
import {
  findRule,
  mergeRegistriesConf,
  noRegistriesConf,
  parseRegistriesConf,
  type RegistriesConf,
  type RegistryRule,
} from "./registries-conf.ts";

/** What the configuration files of the machine say of registries; each is read once, when it is first needed. */
export class HostConfig {
  readonly #files: RegistryFiles;
  #conf: RegistriesConf | undefined;
  readonly #hosts = new Map<string, HostsFile | undefined>();
  readonly #tls = new Map<string, TlsOptions | undefined>();

  constructor(files: RegistryFiles = {}) {
    this.#files = files;
  }

  /** The `[[registry]]` of an image's name. @throws E_REGISTRY_CONFIG */
  rule(name: string): { readonly rule: RegistryRule; readonly matched: number } | undefined {
    return findRule(this.#registriesConf().rules, name);
  }

  /** Where other programs look for names without a host. */
  get searched(): readonly string[] {
    return this.#registriesConf().searched;
  }

  /** The hosts.toml of a host, or of `_default`. @throws E_REGISTRY_CONFIG */
  hostsFile(host: string): HostsFile | undefined {
    if (!this.#hosts.has(host)) this.#hosts.set(host, this.#readHosts(host));
    return this.#hosts.get(host);
  }

  /** How a host is trusted, by its certs.d directory and the files of a hosts.toml. One object for equal questions. */
  tls(
    host: string,
    options: {
      readonly verify: boolean;
      readonly more?: CertificateFiles;
      /** Whether it is shown a client's certificate; default true. */
      readonly clients?: boolean;
    },
  ): TlsOptions | undefined {
    const { verify, more = { ca: [], clients: [] }, clients: shown = true } = options;
    const key = JSON.stringify([host, verify, more, shown]);
    if (!this.#tls.has(key)) {
      const found = findCertificates(this.#files.certsDirs ?? [], host);
      const files = { ca: [...found.ca, ...more.ca], clients: shown ? [...more.clients, ...found.clients] : [] };
      this.#tls.set(key, readTls(files, verify));
    }
    return this.#tls.get(key);
  }

  /** Refuses an image that the machine's policy does not let in. @throws E_POLICY */
  checkPolicy({ host, path, tag, digest }: Reference): void {
    const name = `${host}/${path}`;
    for (const file of this.#files.policies ?? []) {
      const text = readIfThere(file);
      if (text === undefined) continue;
      const verdict = judge(text, file, name, digest === undefined ? `:${tag ?? "latest"}` : `@${digest}`);
      if (verdict === undefined) return;
      const { what, scope } = verdict;
      const why = what === "reject" ? "it is rejected" : `it asks for ${what}, and signatures are not verified here`;
      throw new RegistryError(`Cannot pull ${name}: ${file} does not let it in`, {
        code: "E_POLICY",
        notes: [`scope ${scope}: ${why}`],
        hint: `allow it in ${file}: "${name}": [{"type": "insecureAcceptAnything"}] under transports.docker`,
      });
    }
  }

  #registriesConf(): RegistriesConf {
    return (this.#conf ??= this.#readRegistries());
  }

  #readRegistries(): RegistriesConf {
    const { registriesConf = [] } = this.#files;
    for (const [at, { file, dropIns, required = false }] of registriesConf.entries()) {
      const text = readIfThere(file);
      if (text === undefined && required) throw configError(file, "it is not there");
      // Without any main file the drop-ins of the last candidate count, the system's.
      if (text === undefined && at < registriesConf.length - 1) continue;
      const texts = [...(text === undefined ? [] : [{ file, text }]), ...dropIns.flatMap(confFiles)];
      return texts.map((one) => parseRegistriesConf(one.text, one.file)).reduce(mergeRegistriesConf, noRegistriesConf);
    }
    return noRegistriesConf;
  }

  #readHosts(host: string): HostsFile | undefined {
    for (const parent of this.#files.hostsDirs ?? []) {
      for (const name of [host, host.replace(/:(\d+)$/, "_$1_"), "_default"]) {
        const directory = join(parent, name);
        const file = join(directory, "hosts.toml");
        const text = readIfThere(file);
        if (text !== undefined && text.trim() !== "") return parseHostsToml(text, file, directory);
      }
    }
    return undefined;
  }
}

function confFiles(directory: string): readonly { readonly file: string; readonly text: string }[] {
  let names: readonly string[];
  try {
    names = readdirSync(directory);
  } catch (cause) {
    if (isMissing(cause)) return [];
    throw configError(directory, errorMessage(cause), { cause });
  }
  return names
    .filter((name) => name.endsWith(".conf"))
    .toSorted()
    .flatMap((name) => {
      const file = join(directory, name);
      const text = readIfThere(file);
      return text === undefined ? [] : [{ file, text }];
    });
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw configError(file, errorMessage(cause), { cause });
  }
}

function isMissing(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ENOENT" || code === "ENOTDIR";
}
