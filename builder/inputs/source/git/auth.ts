import { call, closeFd, writeFd } from "../../../../native/syscall.ts";
import { splitUrl } from "../../../base/split-url.ts";
import type { SecretSource } from "../../secrets/secrets.ts";
import { headerText } from "../http/authorization.ts";
import type { UrlCredentials } from "../url-credentials.ts";

/** What git gets to know about who asks. Dispose forgets it. */
export interface GitAuth extends Disposable {
  /** Words of the command line and variables; neither holds a secret. */
  readonly settings: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Descriptor of a memory file with the secret. */
  readonly secret: number | undefined;
}

export const noAuth: GitAuth = { settings: [], env: {}, secret: undefined, [Symbol.dispose]: () => undefined };

/**
 * git asks this program for credentials, telling protocol and host, when a server wants some. It answers for one origin
 * alone, so that a redirect or a submodule elsewhere gets nothing. The secret is in a file that has no name: it is neither
 * in arguments nor in an environment, where others could read it, nor on a disk.
 */
const helper = [
  '!f() { test "$1" = get || exit 0; p=; h=;',
  'while IFS== read -r k v && test -n "$k"; do case $k in protocol) p=$v;; host) h=$v;; esac; done;',
  'test "$p://$h" != "$TSBUILD_GIT_ORIGIN" || cat /proc/self/fd/3; }; f',
].join(" ");

/**
 * Who asks at an http or https remote: the secrets GIT_AUTH_HEADER and GIT_AUTH_TOKEN, those with `.HOST` first, else user
 * and password of the URL. @throws E_SECRET_READ
 */
export async function gitAuth(remote: string, secrets: SecretSource, credentials: UrlCredentials): Promise<GitAuth> {
  const parts = splitUrl(remote);
  if (parts === undefined || !/^https?$/.test(parts.scheme)) return noAuth;
  const origin = `${parts.scheme}://${parts.host}`;
  for (const suffix of [`.${parts.host}`, ""]) {
    const header = await headerText(secrets, `GIT_AUTH_HEADER${suffix}`);
    if (header !== undefined) return byHeader(remote, origin, header);
    const token = await headerText(secrets, `GIT_AUTH_TOKEN${suffix}`);
    if (token !== undefined) return byPassword(origin, "x-access-token", token);
  }
  const userinfo = credentials.of(remote);
  return userinfo === undefined ? noAuth : byPassword(origin, userinfo.username, userinfo.password ?? "");
}

/** The same for submodules: as with BuildKit they share who asks with their repository on GitHub alone. */
export function submoduleAuth(remote: string, auth: GitAuth): GitAuth {
  return githubScope(remote) === undefined ? noAuth : auth;
}

function byHeader(remote: string, origin: string, header: string): GitAuth {
  const [, basic] = /^basic +([a-z0-9+/=]+)$/i.exec(header) ?? [];
  if (basic !== undefined) {
    const [username = "", password = ""] = Buffer.from(basic, "base64").toString("utf8").split(/:(.*)/s);
    return byPassword(origin, username, password);
  }
  // Other schemes than Basic no helper can give. The header would follow a redirect: none is followed then.
  const scope = githubScope(remote) ?? remote;
  const quoted = (text: string): string => `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
  const config = `[http ${quoted(scope)}]\n\textraHeader = ${quoted(`Authorization: ${header}`)}\n`;
  const settings = ["-c", "include.path=/proc/self/fd/3", "-c", "http.followRedirects=false"];
  return withSecret(config, settings, {});
}

function byPassword(origin: string, username: string, password: string): GitAuth {
  // A line of its own each: one that holds a newline would say more than it should.
  if (/[\n\0]/.test(username + password)) return noAuth;
  const settings = ["-c", `credential.helper=${helper}`];
  return withSecret(`username=${username}\npassword=${password}\n`, settings, { TSBUILD_GIT_ORIGIN: origin });
}

function githubScope(remote: string): string | undefined {
  return /^https:\/\/(?:www\.)?github\.com\//.exec(remote)?.[0];
}

function withSecret(text: string, settings: readonly string[], env: Readonly<Record<string, string>>): GitAuth {
  const closeOnExec = 1;
  const secret = call("memfd_create", undefined, Buffer.from("tsbuild-git\0"), closeOnExec);
  writeFd(secret, Buffer.from(text));
  let open = true;
  return {
    settings,
    env,
    secret,
    [Symbol.dispose]: () => {
      if (open) closeFd(secret);
      open = false;
    },
  };
}
