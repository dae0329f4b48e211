import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkLogin, findCredentials, keepCredentials, RegistryClient } from "../../../registry/index.ts";
import { TsbuildError } from "../../../native/errors.ts";
import { parseReference } from "../../../store/oci/reference.ts";
import { HostileRegistry, type Answer } from "../../rig/hostile-registry.ts";
import { makeTemp, type Temp } from "../../rig/temp.ts";

const canary = 'CANARY "q"';

/** What is told of an error to whoever reads it. */
async function told(act: Promise<unknown>): Promise<string> {
  const error: unknown = await act.then(
    () => "it went well",
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof TsbuildError)) throw new Error("not an error of ours", { cause: error });
  return [error.code, error.message, ...error.notes, error.hint].join("\n");
}

describe("a credential helper that", () => {
  let temp: Temp;
  let count = 0;
  beforeAll(() => {
    temp = makeTemp();
  });
  afterAll(() => {
    const pids = readFileSync(join(temp.path, "bin/pids"), "utf8").trim().split("\n");
    for (const pid of pids) process.kill(Number(pid), "SIGKILL");
    temp[Symbol.dispose]();
  });

  /** Installs a helper of this text, and names it in a configuration. */
  function install(text: string): { readonly env: Record<string, string>; readonly config: string } {
    const name = `odd${++count}`;
    const bin = join(temp.path, "bin");
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, `docker-credential-${name}`), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    return { env: { PATH: `${bin}:/usr/bin:/bin` }, config: JSON.stringify({ credsStore: name }) };
  }

  const answer = `echo '{"Username":"me","Secret":"word"}'`;
  const beside = `sleep 1000 & echo $! >>"\${0%/*}/pids"`;
  it.each([
    ["says nothing", "exec sleep 1000", "does not answer"],
    ["has a program that says nothing", `${beside}; wait`, "does not answer"],
    ["leaves a program behind that could say more", `${beside}; ${answer}`, "does not answer"],
    ["does not end when it is asked to", `trap '' TERM INT HUP; while :; do sleep 1; done`, "does not answer"],
    ["says too much", "exec yes 'a long line, again and again and again and again'", "does not answer"],
    ["says what is no JSON", "head -c 10000 /dev/urandom", undefined],
    ["says a list", "echo '[]'", undefined],
    ["says null", "echo null", undefined],
    ["says numbers", `echo '{"Username":1,"Secret":2}'`, undefined],
    ["fails", `${answer}; exit 1`, undefined],
    ["does not read", `exec <&-; exit 3`, undefined],
  ])("%s is passed over", async (_what, text, warning) => {
    const { env, config } = install(text);
    const warnings: string[] = [];
    const { credentials, tried } = await findCredentials("reg.test", "app", {
      env,
      // Those that answer have the time that they need.
      patience: warning === undefined ? 60_000 : 500,
      credentials: [{ kind: "json", name: "test", text: config }],
      onWarning: ({ message }) => warnings.push(message),
    });
    expect(credentials).toBeUndefined();
    expect(tried).toHaveLength(1);
    expect(warnings).toEqual(warning === undefined ? [] : [expect.stringContaining(`${warning}: it is passed over`)]);
  });

  it.each(["../odd1", "a/b", "-x", "x y", "x;y", "..", "", "x\u0000"])("is called %j is none", async (credsStore) => {
    const { credentials } = await findCredentials("reg.test", "app", {
      env: { PATH: join(temp.path, "bin") },
      credentials: [{ kind: "json", name: "test", text: JSON.stringify({ credsStore }) }],
    });
    expect(credentials).toBeUndefined();
  });

  it("repeats what it was told when it fails does not make the password known", async () => {
    const { env, config } = install("cat; exit 1");
    const file = join(temp.path, "config.json");
    writeFileSync(file, config);
    const text = await told(
      keepCredentials("reg.test", { kind: "basic", username: "me", password: canary }, { file, env }),
    );
    expect(text).toContain("E_CREDENTIAL_HELPER");
    expect(text).not.toContain("CANARY");
    expect(readFileSync(file, "utf8")).toBe(config);
  });
});

describe("a login", () => {
  const basic: Answer = ({ request, response }) => {
    const known = request.headers.authorization !== undefined;
    response.writeHead(known ? 200 : 401, known ? {} : { "www-authenticate": 'Basic realm="x"' }).end();
  };

  it.each<readonly [string, (own: string, other: string) => readonly [path: string, text: string]]>([
    [
      "a registries.conf puts in the registry's place",
      (own, other) => ["registries.conf", `[[registry]]\nprefix = "${own}"\nlocation = "${other}"\n`],
    ],
    [
      "a hosts.toml lets take pushes",
      (own, other) => [`hosts/${own}/hosts.toml`, `[host."http://${other}"]\ncapabilities = ["push", "pull"]\n`],
    ],
    ["a hosts.toml names as server", (own, other) => [`hosts/${own}/hosts.toml`, `server = "http://${other}"\n`]],
    ["a hosts.toml names for all", (_own, other) => ["hosts/_default/hosts.toml", `server = "http://${other}"\n`]],
  ])("tells nothing to what %s", async (_what, configure) => {
    await using own = await HostileRegistry.start();
    await using other = await HostileRegistry.start();
    own.answers = { other: basic };
    other.answers = { other: basic };
    using temp = makeTemp();
    const [path, text] = configure(own.host, other.host);
    mkdirSync(dirname(join(temp.path, path)), { recursive: true });
    writeFileSync(join(temp.path, path), text);
    const files = {
      registriesConf: [{ file: join(temp.path, "registries.conf"), dropIns: [] }],
      hostsDirs: [join(temp.path, "hosts")],
    };
    const credentials = { kind: "basic", username: "me", password: canary } as const;
    await checkLogin({ host: own.host, credentials }, { files });
    expect(own.requests.map(({ headers }) => headers.authorization === undefined)).toEqual([true, false]);
    expect(other.requests).toEqual([]);
  });
});

describe("a password in the URL of a mirror", () => {
  it("is refused, and not told", async () => {
    await using mirror = await HostileRegistry.start();
    const mirrors = { "docker.io": [`http://me:CANARY@${mirror.host}`] };
    await using client = new RegistryClient({ mirrors });
    const text = await told(client.manifest(parseReference("app:1")));
    expect(text).toContain("E_REGISTRY_CONFIG");
    expect(text).not.toContain("CANARY");
    expect(mirror.requests).toEqual([]);
  });
});

describe("an image's host that is none", () => {
  it.each(["reg.example:99999", "1.2.3.999", "1.2.3.4.5", "0x1ffffffff.1", "[::1::2]"])(
    "%s: an error",
    async (host) => {
      await using client = new RegistryClient({});
      const credentials = { kind: "basic", username: "me", password: canary } as const;
      const texts = [
        await told(client.manifest(parseReference(`${host}/app:1`))),
        await told(checkLogin({ host, credentials }, {})),
      ];
      for (const text of texts) expect(text).toContain("E_REGISTRY_UNREACHABLE\nCannot connect to");
    },
  );
});
