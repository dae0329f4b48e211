import { findEntry, helperOf, parseAuthFile } from "../../../registry/credentials/auth-file.ts";
import { endpointsOf } from "../../../registry/hosts/endpoints.ts";
import { HostConfig } from "../../../registry/hosts/host-config.ts";
import { parseHostsToml } from "../../../registry/hosts/hosts-toml.ts";
import { judge } from "../../../registry/hosts/policy.ts";
import { findRule, parseRegistriesConf } from "../../../registry/hosts/registries-conf.ts";
import { parseToml, TomlError } from "../../../registry/hosts/toml.ts";
import { checkBlob } from "../../../registry/client/answers.ts";
import { fetchToken } from "../../../registry/transport/token.ts";
import { parseChallenges } from "../../../registry/transport/challenge.ts";
import { unexpectedStatus } from "../../../registry/errors.ts";
import { redirected } from "../../../registry/transport/redirected.ts";
import { Retries } from "../../../registry/http/retry.ts";
import type { Descriptor } from "../../../store/oci/descriptor.ts";
import { digestOf } from "../../../store/oci/digest.ts";
import { outcome, same } from "../rig/check.ts";
import type { FuzzTarget } from "../rig/target.ts";

/** A WWW-Authenticate header, then what a token service answers. */
export const challenges: FuzzTarget = {
  name: "challenges",
  sources: ["registry/transport/"],
  tokens: [
    "Bearer ",
    "Basic ",
    "Negotiate ",
    "realm=",
    '"',
    '\\"',
    "https://a/t",
    "http://b/t",
    "file:///x",
    "service=",
    "scope=",
    "error=",
    ",",
    " ",
    "=",
    "a",
    "\t",
    "\0",
    '{"token":"x"}',
    '{"access_token":',
    '"expires_in":',
    "1e400",
    "-5",
  ],
  seeds: [
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a:pull"\0{"token":"t","expires_in":300}',
    'Basic realm="x", Bearer realm="https://h/t"\0{"access_token":"t"}',
    'Negotiate a, Bearer realm=https://h/t , x="Bearer realm=http://evil"\0[]',
  ],
  async check(input) {
    const [header = "", body = ""] = input.toString("latin1").split("\0");
    const found = parseChallenges(header);
    const quote = (text: string): string => `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
    const written = found.map(({ scheme, parameters }) => {
      const list = Object.entries(parameters).map(([key, value]) => `${key}=${quote(value)}`);
      return `${scheme} ${list.join(",")}`;
    });
    same("written and read", parseChallenges(written.join(", ")), found);
    const asked: string[] = [];
    const credentials = { kind: "basic", username: "user", password: "hunter2" } as const;
    const wanted = { scope: "repository:a:pull", credentials, origin: "http://127.0.0.1:1" };
    const near = { ...wanted, nearness: "loopback" } as const;
    for (const challenge of found) {
      await fetchToken(challenge, near, async ({ url }, { headers }) => {
        const { protocol, hostname } = new URL(url);
        if (protocol !== "http:" && protocol !== "https:") throw new RangeError(`asks ${url}`);
        const loopback = /^(?:localhost|127\.[\d.]+|\[::1\])$/.test(hostname);
        if (headers["authorization"] !== undefined && protocol !== "https:" && !loopback)
          throw new RangeError("a password in the clear");
        asked.push(url);
        const nothing = (): undefined => undefined;
        return { status: 200, nearness: "loopback", header: nothing, text: async () => body, discard: async () => {} };
      });
    }
    if (asked.length > found.length) throw new Error("asked more than once");
  },
};

/** A status, a Retry-After header and a body of an answer. */
export const answers: FuzzTarget = {
  name: "answers",
  sources: ["registry/errors.ts", "registry/http/retry.ts"],
  tokens: [
    "429",
    "503",
    "401",
    "\0",
    "1",
    "99999999999",
    "Wed, 21 Oct 2015 07:28:00 GMT",
    '{"errors":[{"code":"',
    "DENIED",
    '"}]}',
    "null",
    "[",
    "{",
  ],
  seeds: [
    '429\x0010\0{"errors":[{"code":"TOOMANYREQUESTS"}]}',
    "503\0Wed, 21 Oct 2015 07:28:00 GMT\0<html>",
    '404\0\0{"errors":null}',
    '404\0\0{"errors":[null]}',
    "404\0\0null",
  ],
  check(input) {
    const [status = "", after = "", body = ""] = input.toString("utf8").split("\0");
    const delay = new Retries().next(Number.parseInt(status, 10) || 500, after);
    if (delay !== undefined && !(delay >= 0 && delay <= 30_000)) throw new Error(`waits ${delay} ms`);
    const error = unexpectedStatus("pull a", "https://host", { status: Number.parseInt(status, 10) || 500, body });
    if (!error.code.startsWith("E_REGISTRY_")) throw new Error(error.code);
  },
};

const blob: Descriptor = { mediaType: "a", digest: digestOf(""), size: 100 };

/** Who was asked, and the headers of the answer: Location, Content-Encoding, Content-Range, Content-Length. */
export const headers: FuzzTarget = {
  name: "headers",
  sources: ["registry/client/answers.ts", "registry/http/redirect.ts"],
  tokens: [
    "\0",
    "http:",
    "https:",
    "//",
    "/",
    "h:1",
    "u:p@",
    "\\",
    "gzip",
    "identity",
    "bytes ",
    "10-99/100",
    "*",
    "100",
    "90",
  ],
  seeds: [
    "https://h/v2/a\0/b?c",
    "http://h/v2/a\0https://u:p@h:1/b\0identity\0bytes 10-99/100\x0090",
    "https://h/\0http://h/\0gzip\0\x00100",
    "https://h/\0file:///etc/passwd\0\0bytes */100",
  ],
  check(input) {
    const [asked = "", location = "", ...rest] = input.toString("utf8").split("\0");
    const from = URL.parse(asked);
    if (from !== null && /^https?:$/.test(from.protocol)) {
      const { value } = outcome(() => redirected(location, from.href));
      if (value !== undefined) checkPlace(new URL(value), from);
    }
    for (const [status, offset] of [
      [200, 0],
      [200, 10],
      [206, 10],
      [416, 10],
    ] as const)
      checkPart(status, offset, rest);
  },
};

function checkPlace(to: URL, from: URL): void {
  if (!/^https?:$/.test(to.protocol) || to.username !== "" || to.password !== "")
    throw new Error(`leads to ${to.href}`);
  if (from.protocol === "https:" && to.protocol !== "https:") throw new Error(`leads from https to ${to.href}`);
}

function checkPart(status: number, offset: number, [encoding, range, length]: readonly string[]): void {
  const values: Readonly<Record<string, string | undefined>> = {
    "content-encoding": encoding,
    "content-range": range,
    "content-length": length,
  };
  const answer = { status, header: (name: string) => values[name] };
  const reference = { host: "h", path: "a", tag: "1", digest: undefined };
  if (outcome(() => checkBlob(answer, reference, blob, offset)).error !== undefined) return;
  const start = status === 206 ? offset : 0;
  if (status === 416 || (encoding ?? "").toLowerCase().includes("gzip")) throw new Error("is taken for a blob");
  if (/^\d+$/.test(length ?? "") && start + Number(length) !== blob.size) throw new Error("has another size");
}

/** The host of an image, then docker's config.json. */
export const authfiles: FuzzTarget = {
  name: "authfiles",
  sources: ["registry/credentials/auth-file.ts", "registry/hosts/endpoints.ts"],
  tokens: [
    '{"auths":{',
    '{"credHelpers":{',
    '"credsStore":"x"',
    '"docker.io":',
    '"h":',
    '"https://index.docker.io/v1/":',
    '{"auth":"',
    "dXNlcjpwYXNz",
    '"}',
    "}",
    '"identitytoken":"t"',
    '"username":"u","password":"p"',
    ",",
    "null",
    "1",
    "toString",
    "constructor",
    "\0",
    "h:5000",
  ],
  seeds: [
    'docker.io\0{"auths":{"https://index.docker.io/v1/":{"auth":"dXNlcjpwYXNz"}}}',
    'h\0{"auths":{"h/a":{"identitytoken":"t"}},"credHelpers":{"h":"x"}}',
    'toString\0{"credHelpers":{}}',
    'constructor\0{"auths":null}',
  ],
  check(input) {
    const [host = "", text = ""] = input.toString("utf8").split("\0");
    for (const legacy of [true, false]) {
      const file = parseAuthFile(text, legacy);
      if (file === undefined) continue;
      const program = helperOf(file, host)?.program ?? "docker-credential-";
      if (!program.startsWith("docker-credential-") || program.includes("native code")) throw new Error(program);
      const credentials = Object.values(findEntry(file, host, "a/b") ?? {});
      if (credentials.some((one) => typeof one !== "string")) throw new Error("credentials that are no text");
    }
    const reference = { host, path: "a/b", tag: "1", digest: undefined };
    const options = { mirrors: { h: ["http://m/"] } };
    const endpoints = outcome(() => endpointsOf(reference, "pull", { options, config: new HostConfig() }));
    if (endpoints.value?.some(({ api }) => api.includes("function")) === true) throw new Error("no endpoint");
  },
};

/** The name of an image, then registries.conf, a hosts.toml or policy.json. */
export const hostconfigs: FuzzTarget = {
  name: "hostconfigs",
  sources: ["registry/hosts/"],
  tokens: [
    "[[registry]]\n",
    "[[registry.mirror]]\n",
    '[host."https://h"]\n',
    "prefix = ",
    "location = ",
    "insecure = true\n",
    "blocked = true\n",
    "server = ",
    "capabilities = ",
    '["pull", "push"]',
    '"h.io/a"',
    "'x'",
    "{ a = 1 }",
    "=",
    ".",
    "#",
    "\n",
    "[",
    "]",
    '"',
    '"""',
    "\\u00e9",
    "1979-05-27",
    "0x1f",
    "1e3",
    "\0",
    '{"default":[{"type":"reject"}]}',
    '{"transports":{"docker":{"":[]}}}',
    "*.io",
  ],
  seeds: [
    'h.io/a\0unqualified-search-registries = ["docker.io"]\n[[registry]]\nprefix = "*.io"\nlocation = "m/x"\n[[registry.mirror]]\nlocation = "n"\ninsecure = true\n',
    'h\0server = "https://h"\n[host."https://m/v2"]\n  capabilities = ["pull", "resolve"]\n  skip_verify = true\n',
    'h\0{"default":[{"type":"insecureAcceptAnything"}],"transports":{"docker":{"h":[{"type":"reject"}]}}}',
  ],
  check(input) {
    const [name = "", text = ""] = input.toString("utf8").split("\0");
    outcome(() => parseToml(text), TomlError);
    const conf = outcome(() => parseRegistriesConf(text, "registries.conf")).value;
    const found = conf === undefined ? undefined : findRule(conf.rules, name);
    if (found !== undefined && found.matched > name.length) throw new Error("more than the name was matched");
    outcome(() => parseHostsToml(text, "hosts.toml", "/etc"));
    outcome(() => judge(text, "policy.json", name, "latest"));
  },
};
