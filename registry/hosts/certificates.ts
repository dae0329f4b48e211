import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { errorMessage } from "../../native/errors.ts";
import { configError } from "../http/config-error.ts";
import type { TlsOptions } from "../http/tls.ts";
import type { ClientFiles } from "./hosts-toml.ts";

/** Names of the files that say it. */
export interface CertificateFiles {
  readonly ca: readonly string[];
  readonly clients: readonly ClientFiles[];
}

/**
 * The certificates in the first of these directories that has one for the host: `*.crt` are authorities, `NAME.cert`
 * with `NAME.key` a client's. @throws E_REGISTRY_CONFIG @see containers-certs.d(5), docker's certs.d
 */
export function findCertificates(directories: readonly string[], host: string): CertificateFiles {
  for (const parent of directories) {
    const directory = join(parent, host);
    const names = namesIn(directory);
    if (names !== undefined) return { ca: chosen(names, ".crt", directory), clients: pairs(names, directory) };
  }
  return { ca: [], clients: [] };
}

/** Reads them. undefined when there is nothing to say. @throws E_REGISTRY_CONFIG */
export function readTls(files: CertificateFiles, verify: boolean): TlsOptions | undefined {
  if (verify && files.ca.length === 0 && files.clients.length === 0) return undefined;
  return {
    ca: files.ca.map(readPem),
    clients: files.clients.map(({ cert, key }) => ({ cert: readPem(cert), key: readPem(key) })),
    verify,
  };
}

function pairs(names: readonly string[], directory: string): readonly ClientFiles[] {
  const lonely = names.find((name) => name.endsWith(".key") && !names.includes(name.replace(/key$/, "cert")));
  if (lonely !== undefined) throw configError(join(directory, lonely), `there is no ${lonely.replace(/key$/, "cert")}`);
  return names
    .filter((name) => name.endsWith(".cert"))
    .map((name) => {
      const key = name.replace(/cert$/, "key");
      if (!names.includes(key)) throw configError(join(directory, name), `there is no ${key}`);
      return { cert: join(directory, name), key: join(directory, key) };
    });
}

function chosen(names: readonly string[], ending: string, directory: string): readonly string[] {
  return names.filter((name) => name.endsWith(ending)).map((name) => join(directory, name));
}

function namesIn(directory: string): readonly string[] | undefined {
  try {
    return readdirSync(directory).toSorted();
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw configError(directory, errorMessage(cause), { cause });
  }
}

function readPem(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, "latin1");
  } catch (cause) {
    throw configError(file, errorMessage(cause), { cause });
  }
  if (text.includes("-----BEGIN ")) return text;
  throw configError(file, "it is no PEM file");
}
