import { resolve } from "node:path";
import { TableReader } from "./table.ts";
import type { TomlValue } from "./toml.ts";

/** What a host may be asked for. */
export type HostCapability = "pull" | "resolve" | "push";

/** One `[host."URL"]`, or the `server` with what stands beside it. */
export interface HostEntry {
  /** Scheme, host and port. */
  readonly origin: string;
  /** Path of the API's root: `/v2`. */
  readonly root: string;
  /** undefined: not said, which means all. */
  readonly capabilities: readonly HostCapability[] | undefined;
  /** Files, absolute. */
  readonly ca: readonly string[];
  readonly clients: readonly ClientFiles[];
  /** Certificates of the server are not verified. */
  readonly skipVerify: boolean;
  readonly headers: Readonly<Record<string, string>>;
}

/** Files of a client certificate and its key; they may be one. */
export interface ClientFiles {
  readonly cert: string;
  readonly key: string;
}

/** A hosts.toml: who is asked in the place of a host, in this order. */
export interface HostsFile {
  readonly hosts: readonly HostEntry[];
  /** Asked last; undefined: the host itself, by https. */
  readonly server: HostEntry | undefined;
}

/** @throws E_REGISTRY_CONFIG @see containerd, docs/hosts.md */
export function parseHostsToml(text: string, file: string, directory: string): HostsFile {
  const table = TableReader.parse(text, file);
  const server = table.text("server") ?? "";
  return {
    hosts: table.named("host").map(([url, one]) => parseEntry(url, one, directory)),
    server: server === "" ? undefined : parseEntry(server, table, directory),
  };
}

function parseEntry(text: string, table: TableReader, directory: string): HostEntry {
  const url = URL.parse(/^https?:\/\//.test(text) ? text : `https://${text}`);
  if (url === null) throw table.wrong("server", `is ${JSON.stringify(text)}, which is no URL`);
  const path = url.pathname.replace(/\/+$/, "");
  const complete = path.endsWith("/v2") || table.bool("override_path") === true;
  return {
    origin: url.origin,
    root: complete ? path : `${path}/v2`,
    capabilities: parseCapabilities(table),
    ca: files(table, "ca", table.value("ca"), directory),
    clients: clients(table, directory),
    skipVerify: table.bool("skip_verify") === true,
    headers: headers(table),
  };
}

function parseCapabilities(table: TableReader): readonly HostCapability[] | undefined {
  const words = table.texts("capabilities")?.map((word) => word.toLowerCase()) ?? [];
  const known: readonly HostCapability[] = ["pull", "resolve", "push"];
  const odd = words.find((word) => !known.some((one) => one === word));
  if (odd !== undefined) throw table.wrong("capabilities", `has ${JSON.stringify(odd)}: pull, resolve or push`);
  return words.length === 0 ? undefined : known.filter((one) => words.includes(one));
}

/** One file or a list of them, relative to the directory of the hosts.toml. */
function files(table: TableReader, key: string, value: TomlValue | undefined, directory: string): readonly string[] {
  if (value === undefined) return [];
  const list: readonly TomlValue[] = Array.isArray(value) ? value : [value];
  return list.map((one) => {
    if (typeof one !== "string") throw table.wrong(key, "is neither a file nor a list of files");
    return resolve(directory, one);
  });
}

/** A file with both, a list of such files, or a list of pairs. */
function clients(table: TableReader, directory: string): readonly ClientFiles[] {
  const value = table.value("client");
  if (!Array.isArray(value)) return both(files(table, "client", value, directory));
  const list: readonly TomlValue[] = value;
  return list.flatMap((one) => {
    if (!Array.isArray(one)) return both(files(table, "client", one, directory));
    const [cert, key, ...more] = files(table, "client", one, directory);
    if (cert === undefined || key === undefined || more.length > 0) {
      throw table.wrong("client", 'has a list that is no pair ["client.cert", "client.key"]');
    }
    return [{ cert, key }];
  });
}

function both(paths: readonly string[]): readonly ClientFiles[] {
  return paths.map((path) => ({ cert: path, key: path }));
}

function headers(table: TableReader): Readonly<Record<string, string>> {
  const value = table.value("header");
  if (value === undefined) return {};
  if (typeof value !== "object" || Array.isArray(value)) throw table.wrong("header", "is no table");
  return Object.fromEntries(
    Object.entries(value).map(([name, one]: [string, TomlValue]) => {
      const list: readonly TomlValue[] = Array.isArray(one) ? one : [one];
      if (
        !list.every((text) => typeof text === "string" && !/[\r\n\0]/.test(text)) ||
        !/^[\w!#$%&'*+.^`|~-]+$/.test(name)
      )
        throw table.wrong(`header.${JSON.stringify(name)}`, "is no text or list of texts");
      return [name.toLowerCase(), list.join(", ")];
    }),
  );
}
