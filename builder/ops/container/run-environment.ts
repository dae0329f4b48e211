import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { makeShownDirectory, writeShownFile } from "../../../native/directory.ts";
import { maxLowers } from "../../../native/mount.ts";
import { proxyArgs } from "../../graph/proxy-args.ts";
import type { NetworkOption } from "./network-option.ts";
import type { HostAddress } from "./host-address.ts";
import { hostGateway, hostsFile, type BindMount, type HostEntry, type NetworkRequest } from "../../../runtime/index.ts";

/** What the host lends to every RUN of a build; none of it is in a key, in a layer or in history. */
export interface RunEnvironment {
  /** A directory with empty mount points, put below the lowest layer so that no step has to make them. */
  readonly stubs: string;
  readonly resolvConf: BindMount;
  /** hosts, the host's CA bundle. */
  readonly mounts: readonly BindMount[];
  /** Proxy and CA variables, set where the image has none of the name. */
  readonly variables: readonly string[];
  /** Proxy variables that were asked for with --build-arg: they win over the image's. */
  readonly given: readonly string[];
  /** What `default` means: a network of the container's own, if it can be made or whatever happens. */
  readonly network: NetworkRequest;
  /** Of /etc/hosts, where one of them is the host's, whose address is known only when a container starts. */
  readonly hosts?: readonly HostEntry[];
  /** URLs of the proxies, which a network of the container's own must be able to reach. */
  readonly services: readonly string[];
}

/** Variables by which programs find a bundle of certificate authorities. */
const caVariables = [
  "SSL_CERT_FILE",
  "NODE_EXTRA_CA_CERTS",
  "REQUESTS_CA_BUNDLE",
  "PIP_CERT",
  "CURL_CA_BUNDLE",
  "GIT_SSL_CAINFO",
  "AWS_CA_BUNDLE",
] as const;
const caTarget = "/dev/tsbuild/ca-certificates.crt";

/** Prepares it in a directory of the build's own. `env`: the host's proxy and CA variables. */
export function prepareRunEnvironment(
  directory: string,
  options: {
    readonly hostname: string;
    readonly env: Readonly<Record<string, string>>;
    /** Build arguments that name proxies. */
    readonly given?: Readonly<Record<string, string>>;
    readonly hosts?: readonly HostAddress[];
    readonly network?: NetworkOption | undefined;
    /** As `docker run`: the files are the container's to write, and one has its name. */
    readonly writable?: boolean;
  },
): RunEnvironment {
  const { hostname, env, given = {}, hosts = [], network, writable = false } = options;
  const names = ["resolv.conf", "hosts", ...(writable ? ["hostname"] : [])];
  const stubs = join(directory, "stubs");
  makeShownDirectory(stubs);
  for (const name of ["proc", "sys", "dev", "etc"]) makeShownDirectory(join(stubs, name));
  for (const name of names) writeShownFile(join(stubs, "etc", name), "");
  const files = join(directory, "files");
  mkdirSync(files, { recursive: true });
  const shared = (name: string, text: string): BindMount => {
    const source = join(files, name);
    writeShownFile(source, text);
    return { ...bind(source, `/etc/${name}`), ...(writable ? { attributes: [] } : {}) };
  };
  const bundle = caVariables.map((name) => env[name]).find((file) => file !== undefined && existsSync(file));
  const lent =
    bundle === undefined
      ? []
      : caVariables.filter((name) => env[name] !== undefined).map((name) => `${name}=${caTarget}`);
  const own = bothCases(given);
  const proxies = bothCases(Object.fromEntries(Object.entries(env).filter(([name]) => proxyArgs.has(name))));
  const late = hosts.some(({ address }) => address === hostGateway);
  return {
    stubs,
    resolvConf: shared("resolv.conf", readText("/etc/resolv.conf")),
    mounts: [
      ...(late ? [] : [shared("hosts", hostsFile(hostname, hosts))]),
      ...(writable ? [shared("hostname", `${hostname}\n`)] : []),
      ...(bundle === undefined ? [] : [bind(bundle, caTarget)]),
    ],
    variables: [...proxies.map(([name, value]) => `${name}=${value}`), ...lent],
    given: own.map(([name, value]) => `${name}=${value}`),
    ...(late ? { hosts } : {}),
    network: network === "own" ? "own" : "own-or-host",
    services: [...own, ...proxies].filter(([name]) => !/^no_proxy$/i.test(name)).map(([, value]) => value),
  };
}

/** Where no directory more can be mounted, mount points are made in the writable layer, and taken out again. */
export function withStubs(lower: readonly string[], stubs: string): readonly string[] {
  return lower.length < maxLowers ? [...lower, stubs] : lower;
}

/** Programs look for a proxy in capitals or in small letters: one that is given so is given both ways. */
function bothCases(variables: Readonly<Record<string, string>>): readonly (readonly [string, string])[] {
  const all = Object.entries(variables).flatMap(([name, value]) => [
    [name.toLowerCase(), value] as const,
    [name.toUpperCase(), value] as const,
  ]);
  return Object.entries({ ...Object.fromEntries(all), ...variables });
}

function bind(source: string, target: string): BindMount {
  return { kind: "bind", source, target, attributes: ["ro"] };
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
