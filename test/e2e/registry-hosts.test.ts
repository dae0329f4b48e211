import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { RegistryClient, type RegistryOptions } from "../../registry/index.ts";
import { parseReference } from "../../store/oci/reference.ts";
import { TestAuthority } from "../rig/certificates.ts";
import { tsbuild, tsbuildWith } from "../rig/command.ts";
import { Project } from "../rig/project.ts";
import { TestRegistry } from "../rig/registry.ts";
import { makeTemp, type Temp } from "../rig/temp.ts";

/** A directory with the files of /etc that say what registries are. */
class Machine implements Disposable {
  readonly #temp: Temp = makeTemp();
  readonly options: RegistryOptions;

  constructor(files: Readonly<Record<string, string>> = {}) {
    const at = (path: string): string => join(this.#temp.path, path);
    this.options = {
      files: {
        registriesConf: [{ file: at("registries.conf"), dropIns: [at("registries.conf.d")] }],
        certsDirs: [at("own/certs.d"), at("certs.d")],
        hostsDirs: [at("containerd")],
        policies: [at("policy.json")],
      },
    };
    for (const [path, text] of Object.entries(files)) this.write(path, text);
  }

  write(path: string, text: string): void {
    const file = join(this.#temp.path, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  /** The digest that a name has, as a client with these files finds it. */
  async find(name: string, more: RegistryOptions = {}): Promise<string> {
    await using client = new RegistryClient({ ...this.options, ...more });
    return (await client.manifest(parseReference(name))).descriptor.digest;
  }

  [Symbol.dispose](): void {
    this.#temp[Symbol.dispose]();
  }
}

/** The loopback address that counts as another machine: plain http has to be allowed for it. */
const elsewhere = (registry: TestRegistry): string => registry.host.replace("127.0.0.1", "0.0.0.0");

/** In TLS 1.2 a server says in the handshake already that it wants to see a certificate. */
const early = { maxVersion: "TLSv1.2" } as const;

describe("certs.d", () => {
  it("makes a registry of a private authority trusted, and only there", async () => {
    const authority = new TestAuthority("corp");
    await using registry = await TestRegistry.start(authority.server());
    const digest = registry.publish("app", "1", "a");
    using machine = new Machine();
    const image = `${elsewhere(registry)}/app:1`;
    // The certificate is for 127.0.0.1: by another name it is refused although the authority is known.
    machine.write(`certs.d/${elsewhere(registry)}/ca.crt`, authority.cert);
    await expect(machine.find(image)).rejects.toMatchObject({ code: "E_REGISTRY_TLS" });
    machine.write("registries.conf", `[[registry]]\nprefix = "corp.example"\nlocation = "${registry.host}"\n`);
    machine.write(`certs.d/${registry.host}/ca.crt`, authority.cert);
    expect(await machine.find("corp.example/app:1")).toBe(digest);
    machine.write(`own/certs.d/${registry.host}/ca.crt`, new TestAuthority("other").cert);
    await expect(machine.find("corp.example/app:1")).rejects.toMatchObject({
      code: "E_REGISTRY_TLS",
      hint: expect.stringContaining("certs.d"),
    });
  });

  it("shows a client's certificate to a registry that asks for one", async () => {
    const authority = new TestAuthority("corp");
    const tls = { ...authority.server(), ca: authority.cert, requestCert: true, rejectUnauthorized: true, ...early };
    await using registry = await TestRegistry.start(tls);
    const digest = registry.publish("app", "1", "a");
    using machine = new Machine({ [`certs.d/${registry.host}/ca.crt`]: authority.cert });
    const image = `${registry.host}/app:1`;
    await expect(machine.find(image)).rejects.toMatchObject({
      code: "E_REGISTRY_TLS",
      hint: expect.stringContaining("client.cert"),
    });
    const { cert, key } = authority.client("me");
    machine.write(`certs.d/${registry.host}/client.cert`, cert);
    await expect(machine.find(image)).rejects.toMatchObject({
      code: "E_REGISTRY_CONFIG",
      message: expect.stringContaining("there is no client.key"),
    });
    machine.write(`certs.d/${registry.host}/client.key`, key);
    expect(await machine.find(image)).toBe(digest);
  });

  it("does not show a client's certificate to where a blob is redirected", async () => {
    const authority = new TestAuthority("corp");
    const tls = { ...authority.server(), ca: authority.cert, requestCert: true, rejectUnauthorized: false };
    await using registry = await TestRegistry.start(tls);
    await using other = await TestRegistry.start(tls);
    const { cert, key } = authority.client("me");
    using machine = new Machine({
      [`certs.d/${registry.host}/ca.crt`]: authority.cert,
      [`certs.d/${registry.host}/client.cert`]: cert,
      [`certs.d/${registry.host}/client.key`]: key,
      [`certs.d/${other.host}/ca.crt`]: authority.cert,
    });
    registry.publish("app", "1", "a");
    for (const [digest, bytes] of registry.blobs) other.blobs.set(digest, bytes);
    registry.faults.redirect = `https://${other.host}`;
    await using client = new RegistryClient(machine.options);
    const reference = parseReference(`${registry.host}/app:1`);
    const manifest: { config: { digest: `sha256:${string}`; size: number; mediaType: string } } = JSON.parse(
      Buffer.from((await client.manifest(reference)).bytes).toString(),
    );
    for await (const _ of client.blob(reference, manifest.config as never, 0));
    expect(registry.clients).toContain("me");
    expect(other.clients).toEqual([undefined]);
  });
});

describe("registries.conf", () => {
  it("says where a prefix is, and asks mirrors first", async () => {
    await using origin = await TestRegistry.start();
    await using mirror = await TestRegistry.start();
    const digest = origin.publish("real/team/app", "1", "origin");
    using machine = new Machine({
      "registries.conf": `[[registry]]\nprefix = "corp.example/team"\nlocation = "${origin.host}/real/team"
        [[registry.mirror]]\nlocation = "${mirror.host}/copy"\n`,
    });
    expect(await machine.find("corp.example/team/app:1")).toBe(digest);
    expect(mirror.requests).toContain("GET /v2/copy/app/manifests/1");
    const other = mirror.publish("copy/app", "1", "mirror");
    expect(await machine.find("corp.example/team/app:1")).toBe(other);
  });

  it("asks a mirror for digests alone where that is said", async () => {
    await using origin = await TestRegistry.start();
    await using mirror = await TestRegistry.start();
    const digest = origin.publish("app", "1", "same");
    mirror.publish("app", "1", "same");
    using machine = new Machine({
      "registries.conf": `[[registry]]\nlocation = "${origin.host}"\nmirror-by-digest-only = true
        [[registry.mirror]]\nlocation = "${mirror.host}"\n`,
    });
    await machine.find(`${origin.host}/app:1`);
    expect(mirror.requests).toEqual([]);
    await machine.find(`${origin.host}/app@${digest}`);
    expect(mirror.requests).toEqual([`GET /v2/app/manifests/${digest}`]);
  });

  it("refuses what it blocks without a request, also by a drop-in", async () => {
    await using registry = await TestRegistry.start();
    registry.publish("app", "1", "a");
    using machine = new Machine({
      "registries.conf": `[[registry]]\nlocation = "${registry.host}"\n`,
      "registries.conf.d/10-block.conf": `[[registry]]\nlocation = "${registry.host}"\nblocked = true\n`,
      "registries.conf.d/README": "no TOML",
    });
    await expect(machine.find(`${registry.host}/app:1`)).rejects.toMatchObject({
      code: "E_REGISTRY_BLOCKED",
      message: expect.stringMatching(/10-block\.conf blocks 127/),
    });
    expect(registry.requests).toEqual([]);
  });

  it("allows plain http and unverified certificates where it says insecure, as the option does", async () => {
    await using plain = await TestRegistry.start();
    await using secure = await TestRegistry.start(new TestAuthority("x").server());
    for (const registry of [plain, secure]) {
      const digest = registry.publish("app", "1", "a");
      const host = elsewhere(registry);
      using machine = new Machine();
      await expect(machine.find(`${host}/app:1`)).rejects.toMatchObject({
        code: registry === plain ? "E_REGISTRY_HTTP" : "E_REGISTRY_TLS",
      });
      expect(await machine.find(`${host}/app:1`, { insecure: [host] })).toBe(digest);
      expect(await machine.find(`${host}/app:1`, { insecure: ["*"] })).toBe(digest);
      machine.write("registries.conf", `[[registry]]\nlocation = "${host}"\ninsecure = true\n`);
      expect(await machine.find(`${host}/app:1`)).toBe(digest);
    }
  });

  it("tells of the mirrors too when none has the image", async () => {
    await using origin = await TestRegistry.start();
    using machine = new Machine({
      "registries.conf": `[[registry]]\nlocation = "${origin.host}"\n[[registry.mirror]]\nlocation = "127.0.0.1:1"\n`,
    });
    await expect(machine.find(`${origin.host}/app:1`)).rejects.toMatchObject({
      code: "E_REGISTRY_NOT_FOUND",
      notes: [expect.stringMatching(/^mirror 127\.0\.0\.1:1: Cannot connect .*ECONNREFUSED/)],
    });
  });

  it("does not change what a name without a host means, and says so when it is not found", async () => {
    await using registry = await TestRegistry.start();
    using machine = new Machine({
      "registries.conf": `unqualified-search-registries = ["quay.example"]\n[aliases]\nfedora = "quay.example/fedora"
        [[registry]]\nprefix = "docker.io"\nlocation = "${registry.host}"\n`,
    });
    await expect(machine.find("fedora")).rejects.toMatchObject({
      code: "E_REGISTRY_NOT_FOUND",
      notes: [expect.stringContaining("registries.conf has quay.example/fedora")],
    });
    expect(registry.requests).toEqual(["GET /v2/library/fedora/manifests/latest"]);
  });

  it("is an error with its place when it cannot be read", async () => {
    using machine = new Machine({ "registries.conf": "[[registry]]\nlocation = 1\n" });
    await expect(machine.find("corp.example/app:1")).rejects.toMatchObject({
      code: "E_REGISTRY_CONFIG",
      message: expect.stringMatching(/registries\.conf: registry\[0\]\.location is no text$/),
    });
  });

  it("gives a mirror its own credentials and never the host's", async () => {
    await using origin = await TestRegistry.start();
    await using mirror = await TestRegistry.start();
    mirror.faults.auth = { scheme: "basic", user: "m", password: "mp" };
    const digest = mirror.publish("copy/app", "1", "a");
    using machine = new Machine({
      "registries.conf": `[[registry]]\nlocation = "${origin.host}"\n[[registry.mirror]]\nlocation = "${mirror.host}/copy"\n`,
    });
    const entry = (text: string): object => ({ auth: Buffer.from(text).toString("base64") });
    const authJson = (auths: object): RegistryOptions => ({
      credentials: [{ kind: "json", name: "test", text: JSON.stringify({ auths }) }],
    });
    const wrong = machine.find(`${origin.host}/app:1`, authJson({ [origin.host]: entry("m:mp") }));
    await expect(wrong).rejects.toMatchObject({ code: "E_REGISTRY_AUTH" });
    expect(mirror.authorized).toBe(0);
    const right = authJson({ [`${mirror.host}/copy`]: entry("m:mp") });
    expect(await machine.find(`${origin.host}/app:1`, right)).toBe(digest);
  });
});

describe("hosts.toml", () => {
  it("asks its hosts in order, with their headers and the registry that is meant", async () => {
    await using first = await TestRegistry.start();
    await using second = await TestRegistry.start();
    const digest = second.publish("library/app", "1", "a");
    using machine = new Machine({
      "containerd/docker.io/hosts.toml": `server = "http://${second.host}"
        [host."http://${first.host}"]\ncapabilities = ["pull", "resolve"]\nheader = { x-key = "k" }
        [host."http://127.0.0.1:1"]\ncapabilities = ["push"]\n`,
    });
    expect(await machine.find("app:1")).toBe(digest);
    const [asked] = first.asked;
    expect(asked?.line).toBe("GET /v2/library/app/manifests/1?ns=docker.io");
    expect(asked?.headers["x-key"]).toBe("k");
    expect(second.asked[0]?.headers["x-key"]).toBeUndefined();
  });

  it("asks a host that cannot resolve names for digests alone, below the path that overrides the API's", async () => {
    await using mirror = await TestRegistry.start();
    await using origin = await TestRegistry.start();
    const digest = origin.publish("app", "1", "same");
    mirror.publish("below/app", "1", "same");
    using machine = new Machine({
      [`containerd/${origin.host.replace(":", "_")}_/hosts.toml`]: `[host."http://${mirror.host}/v2/below"]
        capabilities = ["pull"]\noverride_path = true\n`,
    });
    await machine.find(`${origin.host}/app:1`);
    expect(mirror.requests).toEqual([]);
    await machine.find(`${origin.host}/app@${digest}`);
    expect(mirror.requests).toEqual([`GET /v2/below/app/manifests/${digest}`]);
  });

  it("trusts the authority of a host and shows it a client's certificate, by _default for every registry", async () => {
    const authority = new TestAuthority("corp");
    const tls = { ...authority.server(), ca: authority.cert, requestCert: true, rejectUnauthorized: true, ...early };
    await using mirror = await TestRegistry.start(tls);
    const digest = mirror.publish("team/app", "1", "a");
    const { cert, key } = authority.client("me");
    using machine = new Machine({
      "containerd/_default/hosts.toml": `[host."https://${mirror.host}"]\nca = "ca.crt"\nclient = [["c.cert", "c.key"]]\n`,
      "containerd/_default/ca.crt": authority.cert,
      "containerd/_default/c.cert": cert,
      "containerd/_default/c.key": key,
    });
    expect(await machine.find("corp.example/team/app:1")).toBe(digest);
    machine.write("containerd/_default/hosts.toml", `[host."https://${mirror.host}"]\nskip_verify = true\n`);
    await expect(machine.find("127.0.0.1:1/app:1")).rejects.toMatchObject({ code: "E_REGISTRY_UNREACHABLE" });
  });
});

describe("policy.json", () => {
  it("keeps out what it rejects and what it wants signed, without a request", async () => {
    await using registry = await TestRegistry.start();
    registry.publish("app", "1", "a");
    using machine = new Machine();
    for (const [type, why] of [
      ["reject", "it is rejected"],
      ["sigstoreSigned", "it asks for sigstoreSigned, and signatures are not verified here"],
    ]) {
      machine.write("policy.json", JSON.stringify({ default: [{ type }] }));
      await expect(machine.find(`${registry.host}/app:1`)).rejects.toMatchObject({
        code: "E_POLICY",
        notes: [`scope default: ${why}`],
      });
    }
    expect(registry.requests).toEqual([]);
    machine.write("policy.json", JSON.stringify({ default: [{ type: "insecureAcceptAnything" }] }));
    await machine.find(`${registry.host}/app:1`);
  });
});

describe("the command", () => {
  it("reads the files of its user, and trusts what the machine trusts", async () => {
    const authority = new TestAuthority("corp");
    await using registry = await TestRegistry.start(authority.server());
    registry.publish("app", "1", "a");
    using project = new Project({});
    const home = join(project.store, "..", "home");
    const write = (path: string, text: string): void => {
      mkdirSync(dirname(join(home, path)), { recursive: true });
      writeFileSync(join(home, path), text);
    };
    const pull = async (env: Readonly<Record<string, string>> = {}): Promise<string> => {
      const { code, stdout, stderr } = await tsbuildWith(project, ["pull", "-q", "corp.example/app:1"], env);
      return code === 0 ? stdout : (/error\[(\w+)\]/.exec(stderr)?.[1] ?? stderr);
    };
    write(
      ".config/containers/registries.conf",
      `[[registry]]\nprefix = "corp.example"\nlocation = "localhost:${registry.host.split(":")[1]}"\n`,
    );
    // The certificate of a registry on loopback matters only if an authority was named for it.
    expect(await pull()).toBe("corp.example/app:1\n");
    const certs = `.config/containers/certs.d/localhost:${registry.host.split(":")[1]}/ca.crt`;
    write(certs, new TestAuthority("other").cert);
    expect(await pull()).toBe("E_REGISTRY_TLS");
    writeFileSync(join(project.directory, "machine.pem"), authority.cert);
    expect(await pull({ SSL_CERT_FILE: join(project.directory, "machine.pem") })).toBe("corp.example/app:1\n");
    const lax = await tsbuild(project, ["pull", "-q", "--tls-verify=false", "corp.example/app:1"]);
    expect(lax.stdout).toBe("corp.example/app:1\n");
    write(certs, authority.cert);
    expect(await pull()).toBe("corp.example/app:1\n");
    const named = { CONTAINERS_REGISTRIES_CONF: join(project.directory, "nosuch.conf") };
    expect(await pull(named)).toBe("E_REGISTRY_CONFIG");
  });
});
