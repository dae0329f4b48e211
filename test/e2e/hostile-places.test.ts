import { describe, expect, it } from "vitest";
import { pull, push, run, type RegistryOptions } from "../../builder/index.ts";
import { openStore } from "../../store/index.ts";
import { TestAuthority } from "../rig/certificates.ts";
import { brokenOnce, chunked, gzipped, silent, status, tokens } from "../rig/hostile-answers.ts";
import { HostileRegistry, type Answer, type Answers } from "../rig/hostile-registry.ts";
import { Project } from "../rig/project.ts";
import { UrlServer } from "../rig/url-server.ts";

const patience = 300;
const secret = "Basic bWU6c2VjcmV0";

function options(host: string, more: RegistryOptions = {}): RegistryOptions {
  const text = JSON.stringify({ auths: { [host]: { auth: secret.slice("Basic ".length) } } });
  return { patience, credentials: [{ kind: "json", name: "test", text }], ...more };
}

/** Honest to who shows credentials. */
const guarded: Answer = ({ request, response, honest }) => {
  if (request.headers.authorization === secret) return honest();
  response.writeHead(401, { "www-authenticate": 'Basic realm="r"' }).end();
};

/** To who shows credentials so, to others a question for them. */
function known(answer: Answer): Answer {
  return (asked) => (asked.request.headers.authorization === secret ? answer(asked) : guarded(asked));
}

const tls = { ...new TestAuthority("corp").server(), maxVersion: "TLSv1.2" } as const;

async function names(root: string): Promise<readonly string[]> {
  await using store = await openStore({ root });
  return store.refs.list().map(({ name }) => name);
}

describe("a redirect", () => {
  it("takes no credentials to another host, neither the registry's nor its own", async () => {
    await using registry = await HostileRegistry.start();
    await using elsewhere = await UrlServer.start();
    using project = new Project({});
    registry.answers = {
      manifest: guarded,
      config: guarded,
      layer: known(({ bytes, response }) => {
        elsewhere.file("/layer", bytes);
        response.writeHead(307, { location: `http://you:pass@${elsewhere.host}/layer` }).end();
      }),
    };
    await pull({ root: project.store, image: registry.image, registry: options(registry.host) });
    expect(elsewhere.requests.map(({ path, headers }) => [path, headers.authorization, headers.cookie])).toEqual([
      ["/layer", undefined, undefined],
    ]);
  });

  it("does not lead from https to http, and the plain port is not tried in its place", async () => {
    await using registry = await HostileRegistry.start({ tls });
    await using elsewhere = await UrlServer.start();
    using project = new Project({});
    registry.answers = { layer: status(307, { location: `${elsewhere.origin}/layer` }) };
    const pulled = pull({ root: project.store, image: registry.image, registry: { patience } });
    await expect(pulled).rejects.toMatchObject({
      code: "E_REGISTRY_REDIRECT",
      message: `Cannot follow ${registry.host}: from https to plain http of ${elsewhere.host}`,
    });
    expect(elsewhere.requests).toEqual([]);
    expect(await names(project.store)).toEqual([]);
  });
});

describe("a layer", () => {
  it("is gone on with by a server that sends all of it for a range", async () => {
    await using registry = await HostileRegistry.start();
    using project = new Project({});
    registry.answers = { layer: brokenOnce(1000, ({ bytes, response }) => void response.writeHead(200).end(bytes)) };
    await pull({ root: project.store, image: registry.image, registry: { patience } });
    const ranges = registry.requests.filter(({ part }) => part === "layer").map(({ headers }) => headers.range);
    expect(ranges).toEqual([undefined, "bytes=1000-"]);
  });

  it("whose first part was wrong in an earlier pull is fetched anew", async () => {
    await using registry = await HostileRegistry.start();
    using project = new Project({});
    registry.answers = {
      layer: ({ bytes, response, before }) => {
        if (before > 0) return void response.writeHead(403).end();
        response.writeHead(200, { "content-length": bytes.length });
        response.write(Buffer.alloc(1000, 1), () => response.destroy());
      },
    };
    const act = (): ReturnType<typeof pull> =>
      pull({ root: project.store, image: registry.image, registry: { patience } });
    await expect(act()).rejects.toMatchObject({ code: "E_REGISTRY_AUTH" });
    registry.answers = {};
    expect(await act()).toMatchObject({ digest: registry.digest });
    expect(registry.asked("layer")).toBe(4);
  });

  it("is never fetched from the URLs that its manifest names", async () => {
    await using elsewhere = await UrlServer.start();
    const urls = [`${elsewhere.origin}/layer`];
    await using registry = await HostileRegistry.start({ layerFields: { urls } });
    using project = new Project({});
    registry.answers = { layer: status(404) };
    const pulled = pull({ root: project.store, image: registry.image, registry: { patience } });
    await expect(pulled).rejects.toMatchObject({ code: "E_REGISTRY_NOT_FOUND" });
    expect(elsewhere.requests).toEqual([]);
  });
});

describe("an image by digest", () => {
  it("is that image or none", async () => {
    await using registry = await HostileRegistry.start();
    using project = new Project({});
    const image = `${registry.host}/app@${registry.digest}`;
    registry.answers = { manifest: chunked((bytes) => Buffer.concat([bytes, Buffer.from("\n")])) };
    await expect(pull({ root: project.store, image, registry: { patience } })).rejects.toMatchObject({
      code: "E_REGISTRY_LIES",
      message: expect.stringContaining(`not ${registry.digest}`),
    });
    expect(await names(project.store)).toEqual([]);
  });

  it("may be of sha512, from its manifest to its layers", async () => {
    await using registry = await HostileRegistry.start({ algorithm: "sha512" });
    using project = new Project({});
    const image = `${registry.host}/app@${registry.digest}`;
    const act = (): ReturnType<typeof pull> => pull({ root: project.store, image, registry: { patience } });
    registry.answers = { manifest: chunked((bytes) => Buffer.concat([bytes, Buffer.from("\n")])) };
    await expect(act()).rejects.toMatchObject({ code: "E_REGISTRY_LIES" });
    registry.answers = { layer: chunked((bytes) => Buffer.from(bytes.toReversed())) };
    await expect(act()).rejects.toMatchObject({ code: "E_DIGEST_MISMATCH" });
    registry.answers = {};
    expect(await act()).toMatchObject({ digest: registry.digest });
    project.write("Dockerfile", `FROM ${image} AS base\nFROM scratch\nCOPY busybox/ /\nCOPY --from=base /file /\n`);
    const { error } = await project.build({ tags: ["app"] });
    expect(error).toBeUndefined();
    expect(await run({ root: project.store, image: "app", command: ["grep", "-q", "abcdefg", "/file"] })).toEqual({
      exitCode: 0,
    });
  });
});

describe("pull() that is given up", () => {
  const parts: readonly (readonly [string, (answer: Answer) => Answers])[] = [
    ["a manifest", (manifest) => ({ manifest })],
    ["a token", tokens],
    ["a layer", (layer) => ({ layer })],
  ];
  for (const [what, answers] of parts) {
    it(`while a registry keeps ${what} to itself ends for that reason`, async () => {
      await using registry = await HostileRegistry.start();
      using project = new Project({});
      const abort = new AbortController();
      const reason = new Error("given up");
      registry.answers = answers(() => abort.abort(reason));
      const { signal } = abort;
      await expect(pull({ root: project.store, image: registry.image, signal })).rejects.toBe(reason);
    });
  }
});

describe("a mirror that does not answer", () => {
  it("is waited for once", async () => {
    await using registry = await HostileRegistry.start();
    await using mirror = await HostileRegistry.start();
    using project = new Project({});
    mirror.answers = { config: silent, layer: silent };
    const mirrors = { [registry.host]: [`http://${mirror.host}`] };
    await pull({ root: project.store, image: registry.image, registry: { patience, mirrors } });
    expect(mirror.requests.map(({ part }) => part)).toEqual(["manifest", "config"]);
    expect(registry.requests.map(({ part }) => part)).toEqual(["config", "layer"]);
  });
});

describe("a mirror that lies", () => {
  const lies: Readonly<Record<string, Answers>> = {
    "packs a layer": { layer: gzipped },
    "has a shorter layer": { layer: status(200, { "content-length": "5" }, "short") },
    "redirects a layer to itself": {
      layer: ({ request, response }) => void response.writeHead(302, { location: request.url }).end(),
    },
    "answers a web page": { manifest: status(200, { "content-type": "text/html" }, "<html>") },
    "has nothing to say": { layer: silent },
  };
  for (const [what, answers] of Object.entries(lies)) {
    it(`and ${what} is passed over`, async () => {
      await using registry = await HostileRegistry.start();
      await using mirror = await HostileRegistry.start();
      using project = new Project({});
      mirror.answers = answers;
      const mirrors = { [registry.host]: [`http://${mirror.host}`] };
      const pulled = await pull({ root: project.store, image: registry.image, registry: { patience, mirrors } });
      expect(pulled).toMatchObject({ digest: registry.digest });
      expect(mirror.requests.length).toBeGreaterThan(0);
    });
  }
});

/** A registry that has not the blobs yet; `other` answers what begins uploads and takes them. */
function empty(other: Answer, more: Answers = {}): Answers {
  const absent: Answer = (asked) => (asked.request.method === "HEAD" ? status(404)(asked) : asked.honest());
  return { config: absent, layer: absent, other, ...more };
}

/** Uploads go where `location` says; the rest is answered by `then`. */
function uploadsTo(location: string, then: Answer = status(201)): Answer {
  return (asked) => {
    if (asked.request.url === "/v2/") return status(200)(asked);
    asked.request.resume();
    if (asked.request.method === "POST") return status(202, { location })(asked);
    then(asked);
  };
}

describe("push() to a registry", () => {
  /** An image of its name is in the store. */
  async function pulled(registry: HostileRegistry, project: Project): Promise<void> {
    await pull({ root: project.store, image: registry.image, registry: options(registry.host) });
    registry.requests.splice(0);
  }

  it("that sends uploads to another host shows that one no credentials", async () => {
    await using registry = await HostileRegistry.start();
    await using elsewhere = await UrlServer.start();
    elsewhere.on("/up", (_request, response) => void response.writeHead(201).end());
    using project = new Project({});
    await pulled(registry, project);
    const answers = empty(uploadsTo(`http://you:pass@${elsewhere.host}/up`), { manifest: status(201) });
    registry.answers = Object.fromEntries(
      Object.entries(answers).map(([part, answer]) => [part, answer === undefined ? guarded : known(answer)]),
    );
    await push({ root: project.store, image: registry.image, registry: options(registry.host) });
    expect(registry.requests.some(({ headers }) => headers.authorization === secret)).toBe(true);
    expect(elsewhere.requests.map(({ method, headers }) => [method, headers.authorization])).toEqual([
      ["PUT", undefined],
      ["PUT", undefined],
    ]);
  });

  it("that is told of https does not send layers by http", async () => {
    await using registry = await HostileRegistry.start({ tls });
    await using elsewhere = await UrlServer.start();
    using project = new Project({});
    await pulled(registry, project);
    registry.answers = empty(uploadsTo(`${elsewhere.origin}/up`));
    const pushed = push({ root: project.store, image: registry.image, registry: options(registry.host) });
    await expect(pushed).rejects.toMatchObject({ code: "E_REGISTRY_REDIRECT" });
    expect(elsewhere.requests).toEqual([]);
  });

  const stored = { "docker-content-digest": `sha256:${"0".repeat(64)}` };
  const loop: Answer = ({ request, response }) => void response.writeHead(307, { location: request.url }).end();
  const rows: readonly (readonly [what: string, answers: Answers, code: string, most: number])[] = [
    ["names no place for uploads", empty(uploadsTo("unix:/run/docker.sock")), "E_REGISTRY_REDIRECT", 2],
    ["sends what was uploaded elsewhere", empty(uploadsTo("/up", loop)), "E_REGISTRY_REDIRECT", 9],
    ["accepts uploads for ever", empty(uploadsTo("/up", status(202, { location: "/up" }))), "E_REGISTRY_STATUS", 4],
    ["fails at each upload", empty(uploadsTo("/up", status(500))), "E_REGISTRY_STATUS", 24],
    [
      "begins no upload",
      empty((asked) => status(asked.request.url === "/v2/" ? 200 : 503)(asked)),
      "E_REGISTRY_STATUS",
      10,
    ],
    [
      "does not answer",
      empty((asked) => (asked.request.url === "/v2/" ? status(200)(asked) : undefined)),
      "E_REGISTRY_STALLED",
      2,
    ],
    ["stores another manifest", empty(uploadsTo("/up"), { manifest: status(201, stored) }), "E_REGISTRY_LIES", 4],
  ];
  for (const [what, answers, code, most] of rows) {
    it(`that ${what} fails: ${code}`, async () => {
      await using registry = await HostileRegistry.start();
      using project = new Project({});
      await pulled(registry, project);
      registry.answers = answers;
      const pushed = push({ root: project.store, image: registry.image, registry: { patience } });
      await expect(pushed).rejects.toMatchObject({
        code,
        message: expect.stringMatching(/^Cannot /),
        hint: expect.stringMatching(/\S/),
      });
      const uploads = registry.requests.filter(
        ({ line }) => /^(?:POST|PUT)/.test(line) && !line.includes("/manifests/"),
      );
      expect(uploads.length).toBeLessThanOrEqual(most);
    });
  }
});
