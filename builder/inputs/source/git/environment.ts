import { absolutePlaces } from "../../../../native/program-places.ts";
import { proxyVariable } from "../../../../registry/http/proxy-variable.ts";
import { splitUrl } from "../../../base/split-url.ts";

/** Variables of the host that git and its helpers may see: the way to servers, and whom to trust. */
const proxies: readonly string[] = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];
const authorities: readonly string[] = ["GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "SSL_CERT_FILE", "SSL_CERT_DIR"];

/** What a repository may name for its submodules. */
const protocols: readonly string[] = ["http", "https", "git", "ssh"];

/** The variables for a git that speaks to this remote alone: a redirect leads to nothing that is less than it. */
export function onlyRemote(remote: string): Readonly<Record<string, string>> {
  const scheme = splitUrl(remote)?.scheme ?? "ssh";
  return { GIT_ALLOW_PROTOCOL: scheme === "http" ? "http:https" : scheme };
}

/** How ssh is called. Paths of the host. */
export interface SshSettings {
  /** Of the agent with the keys; undefined: none. */
  readonly agent: string | undefined;
  /** Hosts met for the first time are written to the first file. */
  readonly knownHosts: readonly string[];
}

/**
 * The whole environment of a git: no configuration of the machine or the user, no question asked, no protocol but these.
 * `host` is the environment of whoever builds.
 */
export function gitEnvironment(
  host: Readonly<Record<string, string>>,
  ssh: SshSettings,
): Readonly<Record<string, string>> {
  const own = authorities.flatMap((name) => (host[name] === undefined ? [] : [[name, host[name]]]));
  const bundle = host["GIT_SSL_CAINFO"] ?? host["SSL_CERT_FILE"];
  return {
    ...Object.fromEntries(own),
    ...proxiesFor(host),
    ...(bundle === undefined ? {} : { GIT_SSL_CAINFO: bundle }),
    PATH: absolutePlaces(host["PATH"]),
    HOME: "/dev/null",
    LC_ALL: "C",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ALLOW_PROTOCOL: protocols.join(":"),
    GIT_SSH_VARIANT: "ssh",
    GIT_SSH_COMMAND: sshCommand(ssh),
    ...(ssh.agent === undefined ? {} : { SSH_AUTH_SOCK: ssh.agent }),
  };
}

/**
 * The proxies by the same rules as for registries and URLs. curl believes HTTP_PROXY in small letters only, because a CGI
 * program's client gives it in capitals; and it knows no exception for this machine.
 */
function proxiesFor(host: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const cgi = (host["REQUEST_METHOD"] ?? "") !== "";
  const found = proxies.flatMap((name) => {
    const value = name === "HTTP_PROXY" && cgi ? host["http_proxy"] : proxyVariable(host, name);
    return value === undefined ? [] : [[name.toLowerCase(), value] as const];
  });
  if (found.length === 0) return {};
  const named = (proxyVariable(host, "NO_PROXY") ?? "").split(",").map((one) => one.trim());
  // A star counts alone only.
  const exceptions = named.includes("*") ? ["*"] : [...named, "localhost", "127.0.0.0/8", "127.0.0.1", "::1"];
  return { ...Object.fromEntries(found), no_proxy: exceptions.filter((one) => one !== "").join(",") };
}

/**
 * ssh without the user's configuration and keys: those of the agent alone. A host is believed at first sight, and held to
 * the key that it had then; BuildKit asks it anew each time.
 */
function sshCommand({ knownHosts }: SshSettings): string {
  const options = [
    "BatchMode=yes",
    "ConnectTimeout=15",
    "ServerAliveInterval=15",
    "IdentityFile=none",
    "StrictHostKeyChecking=accept-new",
    "LogLevel=ERROR",
    // A percent sign begins something that ssh replaces.
    `UserKnownHostsFile=${knownHosts.map((file) => `"${file.replaceAll("%", "%%")}"`).join(" ")}`,
  ];
  return ["ssh -F /dev/null", ...options.map((option) => `-o ${shellQuoted(option)}`)].join(" ");
}

/** git gives the command to a shell. */
function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Settings that hold for every run, as words of the command line. */
export function gitSettings(advice: boolean): readonly string[] {
  const settings = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.attributesFile=/dev/null",
    "core.logAllRefUpdates=false",
    "core.askPass=",
    "gc.auto=0",
    "maintenance.auto=false",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "init.defaultBranch=master",
    "init.templateDir=",
    // A server that says nothing for a minute is gone.
    "http.lowSpeedLimit=1",
    "http.lowSpeedTime=60",
    ...(advice ? [] : ["advice.detachedHead=false"]),
  ];
  return settings.flatMap((setting) => ["-c", setting]);
}
