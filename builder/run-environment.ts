import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Mount } from "../native/mount.ts";
import type { HostAddress } from "./options.ts";
import { hostGateway, hostsFile, type HostEntry, type NetworkMode } from "../runtime/index.ts";

/** What the host lends to every RUN of a build; none of it is in a key, in a layer or in history. */
export interface RunEnvironment {
  /** A directory with empty mount points, put below the lowest layer so that no step has to make them. */
  readonly stubs: string;
  /** resolv.conf, hosts, the host's CA bundle. */
  readonly mounts: readonly Mount[];
  /** Proxy and CA variables, set where the image has none of the name. */
  readonly variables: readonly string[];
  /** What `default` means: a network of the container's own, or the host's where that cannot work. */
  readonly network: NetworkMode;
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
    readonly hosts?: readonly HostAddress[];
  },
): RunEnvironment {
  const { hostname, env, hosts = [] } = options;
  const stubs = join(directory, "stubs");
  for (const name of ["proc", "sys", "dev", "etc"]) mkdirSync(join(stubs, name), { recursive: true, mode: 0o755 });
  for (const name of ["etc/resolv.conf", "etc/hosts"]) writeFileSync(join(stubs, name), "");
  const files = join(directory, "files");
  mkdirSync(files, { recursive: true });
  const shared = (name: string, text: string): Mount => {
    const source = join(files, name);
    writeFileSync(source, text, { mode: 0o644 });
    return bind(source, `/etc/${name}`);
  };
  const bundle = caVariables.map((name) => env[name]).find((file) => file !== undefined && existsSync(file));
  const lent =
    bundle === undefined
      ? []
      : caVariables.filter((name) => env[name] !== undefined).map((name) => `${name}=${caTarget}`);
  const proxies = Object.entries(env).filter(([name]) => /^(?:https?|ftp|no|all)_proxy$/i.test(name));
  const late = hosts.some(({ address }) => address === hostGateway);
  return {
    stubs,
    mounts: [
      shared("resolv.conf", readText("/etc/resolv.conf")),
      ...(late ? [] : [shared("hosts", hostsFile(hostname, hosts))]),
      ...(bundle === undefined ? [] : [bind(bundle, caTarget)]),
    ],
    variables: [...proxies.map(([name, value]) => `${name}=${value}`), ...lent],
    ...(late ? { hosts } : {}),
    network: "own",
    services: proxies.map(([, value]) => value),
  };
}

function bind(source: string, target: string): Mount {
  return { type: "bind", source, target, options: ["bind", "ro"] };
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
