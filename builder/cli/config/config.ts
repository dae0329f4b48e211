import { join, resolve } from "node:path";
import { describeBreach, mendBreach } from "../../../native/breach.ts";
import type { Breach } from "../../../native/guarded-path.js";
import type { OwnChecks } from "../../lint/own.ts";
import type { RegistryOptions } from "../../options/options.ts";
import type { NetworkOption } from "../../ops/container/network-option.ts";
import type { PullPolicy } from "../../inputs/source/image/pull-policy.ts";
import { ciService, type CiService } from "../ci/folding.ts";
import { wantsColor } from "../terminal/color.ts";
import { registryFiles } from "./registry-files.ts";
import { registryTimeout } from "./registry-timeout.ts";
import { UsageError } from "../base/usage-error.ts";
import type { UserNamespaceMode } from "../host/user-namespace.ts";
import { emptySettings, isNetwork, mergeSettings, parseMirrors, parseSettings, type Settings } from "./settings.ts";

/** The world a command starts in; entry.ts gives the real one, tests another. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's number on the host. */
  readonly uid: number;
  readonly home: string;
  readonly cwd: string;
  readonly stderrIsTerminal: boolean;
  /** The file's text; undefined when it is not there. */
  readonly readFile: (path: string) => string | undefined;
  /** Who beside root and this user could change what is at the path. */
  readonly breach: (path: string) => Breach | undefined;
}

/** All that environment and configuration files say. Read once, frozen; flags override it in the commands. */
export interface Config {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** The store's directory, absolute. */
  readonly root: string;
  readonly progress: string | undefined;
  /** Whether standard error gets colours. */
  readonly color: boolean;
  readonly stderrIsTerminal: boolean;
  /** Nobody watches: plain progress. */
  readonly unattended: boolean;
  readonly githubActions: boolean;
  /** The CI service whose log this goes to. */
  readonly ci: CiService | undefined;
  readonly debug: boolean;
  /** Log lines under a running step. */
  readonly logLines: number;
  /** BUILDKIT_COLORS as written. */
  readonly colors: string | undefined;
  /** Where credentials are looked for. */
  readonly credentials: NonNullable<RegistryOptions["credentials"]>;
  /** The file that a login writes. */
  readonly loginFile: string;
  /** Where other programs keep what they know of registries. */
  readonly registryFiles: NonNullable<RegistryOptions["files"]>;
  readonly mirrors: Readonly<Record<string, readonly string[]>>;
  readonly insecure: readonly string[];
  /** Milliseconds without an answer after which a registry is given up. */
  readonly registryTimeout: number | undefined;
  /** Where CDI specifications are. */
  readonly cdiDirectories: readonly string[] | undefined;
  /** Proxies (predefined ARGs) and CA bundles of the host, for RUN. */
  readonly hostEnv: Readonly<Record<string, string>>;
  readonly platform: string | undefined;
  readonly pull: PullPolicy | undefined;
  readonly network: NetworkOption | undefined;
  readonly ownChecks: OwnChecks | undefined;
  readonly sourceDateEpoch: string | undefined;
  /** How the files of a plain user are owned. */
  readonly userns: UserNamespaceMode;
  /** Files of images become root's. */
  readonly squashOwners: boolean;
  /** The configuration files that are there, the least important first. */
  readonly layers: readonly Layer[];
}

/** A configuration file and what it says. */
export interface Layer {
  readonly path: string;
  readonly settings: Settings;
}

/** Variables that win over settings of files, the first one that is set. */
export const settingVariables = {
  root: ["TSBUILD_ROOT"],
  progress: ["TSBUILD_PROGRESS", "BUILDKIT_PROGRESS"],
  platform: ["DOCKER_DEFAULT_PLATFORM"],
  network: ["TSBUILD_NETWORK"],
  userns: ["TSBUILD_USERNS"],
  registryTimeout: ["TSBUILD_REGISTRY_TIMEOUT"],
} as const;

/** Precedence: env, ./tsbuild.json, $XDG_CONFIG_HOME/tsbuild/config.json, /etc/tsbuild/config.json, default. @throws E_CONFIG */
export function readConfig(world: Surroundings): Config {
  const env = definedOnly(world.env);
  const set = (name: string): string | undefined => (env[name] === "" ? undefined : env[name]);
  const configHome = set("XDG_CONFIG_HOME") ?? join(world.home, ".config");
  const first = (names: readonly string[]): string | undefined => names.map(set).find((value) => value !== undefined);
  const layers = readLayers(world, configHome);
  const settings = layers.reduce((base, layer) => mergeSettings(base, layer.settings), emptySettings);
  const mirrors = set("TSBUILD_REGISTRY_MIRROR");
  const userns = userNamespaceMode(first(settingVariables.userns) ?? settings.userns);
  return Object.freeze({
    env,
    cwd: world.cwd,
    root: resolve(world.cwd, first(settingVariables.root) ?? settings.root ?? defaultRoot(world, set("XDG_DATA_HOME"))),
    progress: first(settingVariables.progress) ?? settings.progress,
    color: wantsColor(env, world.stderrIsTerminal),
    stderrIsTerminal: world.stderrIsTerminal,
    unattended: set("CI") !== undefined || env["TERM"] === "dumb",
    githubActions: env["GITHUB_ACTIONS"] === "true",
    ci: ciService(env),
    debug: set("TSBUILD_DEBUG") !== undefined && env["TSBUILD_DEBUG"] !== "0",
    logLines: positive(set("BUILDKIT_TTY_LOG_LINES")) ?? 6,
    colors: set("BUILDKIT_COLORS"),
    credentials: credentialSources(world.home, configHome, set),
    loginFile: set("REGISTRY_AUTH_FILE") ?? join(set("DOCKER_CONFIG") ?? join(world.home, ".docker"), "config.json"),
    registryFiles: registryFiles(
      world.breach(configHome)?.who === "owner" ? undefined : configHome,
      set("CONTAINERS_REGISTRIES_CONF"),
    ),
    mirrors: { ...settings.mirrors, ...(mirrors === undefined ? {} : parseMirrors(mirrors.split(/[\s,]+/))) },
    insecure: settings.insecure,
    registryTimeout: registryTimeout(first(settingVariables.registryTimeout) ?? settings.registryTimeout),
    cdiDirectories: settings.cdiDirectories,
    hostEnv: { ...dockerProxies(world, set), ...hostEnv(env) },
    platform: first(settingVariables.platform) ?? settings.platform,
    pull: settings.pull,
    network: networkOption(first(settingVariables.network)) ?? settings.network,
    ownChecks: settings.ownChecks,
    sourceDateEpoch: set("SOURCE_DATE_EPOCH"),
    userns,
    squashOwners: userns === "single" && world.uid !== 0,
    layers,
  });
}

type Lookup = (name: string) => string | undefined;

function definedOnly(env: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  // Without a prototype: nothing has a value but what was given one.
  const out: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(env)) if (value !== undefined) out[name] = value;
  return out;
}

function readLayers(world: Surroundings, configHome: string): readonly Layer[] {
  const own = join(configHome, "tsbuild", "config.json");
  const files = [
    { path: "/etc/tsbuild/config.json", trusted: true },
    { path: own, trusted: true },
    { path: join(world.cwd, "tsbuild.json"), trusted: false },
  ];
  return files.flatMap(({ path, trusted }) => {
    const text = world.readFile(path);
    if (text === undefined) return [];
    const breach = path === own ? world.breach(path) : undefined;
    if (breach !== undefined) throw othersConfig(path, breach);
    return [{ path, settings: parseSettings(text, path, trusted) }];
  });
}

/** As ssh's of its configuration: it says where the store is and whom to trust. */
function othersConfig(path: string, breach: Breach): UsageError {
  const home = breach.who === "owner" && breach.uid !== 0 ? "sudo -H, to have root's own, or: " : "";
  return new UsageError(`Cannot use configuration file ${path}: ${describeBreach(breach)}`, {
    code: "E_CONFIG",
    hint: `${home}${mendBreach(breach)}`,
  });
}

function defaultRoot(world: Surroundings, dataHome: string | undefined): string {
  if (world.uid === 0) return "/var/lib/tsbuild";
  return join(dataHome ?? join(world.home, ".local", "share"), "tsbuild");
}

function userNamespaceMode(text: string | undefined): UserNamespaceMode {
  if (text === undefined || text === "auto") return "auto";
  if (text === "single") return "single";
  throw new UsageError(`TSBUILD_USERNS cannot be ${JSON.stringify(text)}`, {
    code: "E_CONFIG",
    hint: "auto: owners as /etc/subuid grants them; single: every file belongs to one user",
  });
}

function networkOption(text: string | undefined): NetworkOption | undefined {
  if (text === undefined || isNetwork(text)) return text;
  throw new UsageError(`TSBUILD_NETWORK cannot be ${JSON.stringify(text)}`, {
    code: "E_CONFIG",
    hint: "default, own, none or host",
  });
}

function positive(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-9]{1,4}$/.test(text) ? Number(text) : undefined;
}

/** In order of precedence. @see containers-auth.json(5), docker's config.json */
function credentialSources(home: string, configHome: string, set: Lookup): Config["credentials"] {
  const runtimeDir = set("XDG_RUNTIME_DIR");
  const dockerConfig = set("DOCKER_CONFIG");
  const json = set("DOCKER_AUTH_CONFIG");
  const file = (path: string | undefined): Config["credentials"] =>
    path === undefined ? [] : [{ kind: "file", path }];
  return [
    ...file(set("REGISTRY_AUTH_FILE")),
    ...(json === undefined ? [] : [{ kind: "json", name: "DOCKER_AUTH_CONFIG", text: json } as const]),
    ...file(dockerConfig && join(dockerConfig, "config.json")),
    ...file(runtimeDir && join(runtimeDir, "containers", "auth.json")),
    ...file(join(configHome, "containers", "auth.json")),
    ...file(join(home, ".docker", "config.json")),
    ...file(join(home, ".dockercfg")),
  ];
}

const proxyNames: readonly string[] = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"];

const caNames: readonly string[] = [
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "NODE_EXTRA_CA_CERTS",
  "PIP_CERT",
  "REQUESTS_CA_BUNDLE",
  "CURL_CA_BUNDLE",
  "GIT_SSL_CAINFO",
];

/** The predefined ARGs in both cases, and where the host's CA bundle is, as the environment has them. */
function hostEnv(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const out: Record<string, string> = {};
  for (const name of [...proxyNames.flatMap((upper) => [upper, upper.toLowerCase()]), ...caNames]) {
    const value = env[name];
    if (value !== undefined && value !== "") out[name] = value;
  }
  return out;
}

const dockerProxyKeys: readonly (readonly [string, string])[] = [
  ["httpProxy", "HTTP_PROXY"],
  ["httpsProxy", "HTTPS_PROXY"],
  ["ftpProxy", "FTP_PROXY"],
  ["noProxy", "NO_PROXY"],
  ["allProxy", "ALL_PROXY"],
];

/** `proxies.default` of docker's config.json. A broken file is the registry client's to report. */
function dockerProxies(world: Surroundings, set: Lookup): Readonly<Record<string, string>> {
  const text = world.readFile(join(set("DOCKER_CONFIG") ?? join(world.home, ".docker"), "config.json"));
  if (text === undefined || !text.includes('"proxies"')) return {};
  const out: Record<string, string> = {};
  const table = member(member(parseQuietly(text), "proxies"), "default");
  for (const [key, name] of dockerProxyKeys) {
    const value = member(table, key);
    if (typeof value === "string" && value !== "") out[name] = out[name.toLowerCase()] = value;
  }
  return out;
}

function parseQuietly(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function member(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? Object.getOwnPropertyDescriptor(value, key)?.value : undefined;
}
