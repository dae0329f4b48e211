import { hash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { pull } from "../../builder/index.ts";
import { TsbuildError } from "../../native/errors.ts";
import { openStore } from "../../store/index.ts";
import {
  announcing,
  brokenOnce,
  challenge,
  chunked,
  dripping,
  drippingHeaders,
  endless,
  gzipped,
  partFrom,
  raw,
  silent,
  stalled,
  status,
  tokens,
} from "../rig/hostile-answers.ts";
import { HostileRegistry, manifestType, type Answers, type Part } from "../rig/hostile-registry.ts";
import { Project } from "../rig/project.ts";

/** As long as a machine that has much else to do may need for what is answered at once. */
const longPatience = 10_000;
/** Servers that keep one waiting shall not keep the tests: those rows run side by side. */
const shortPatience = 4000;

interface Row {
  readonly what: string;
  readonly answers: Answers;
  readonly code: string;
  readonly says: RegExp;
  /** How often parts are asked for. */
  readonly asked?: Readonly<Partial<Record<Part, number>>>;
  /** The server keeps one waiting. */
  readonly waits?: boolean;
}

const flip = (bytes: Buffer): Buffer => Buffer.from(bytes.map((byte, at) => (at === 7 ? byte ^ 1 : byte)));
const rows: readonly Row[] = [
  // Tries.
  {
    what: "503 for ever",
    answers: { manifest: status(503) },
    code: "E_REGISTRY_STATUS",
    says: /answered 503/,
    asked: { manifest: 5 },
  },
  {
    what: "503 for ever for a layer",
    answers: { layer: status(503) },
    code: "E_REGISTRY_STATUS",
    says: /answered 503/,
    asked: { layer: 5 },
  },
  {
    what: "429 for ever",
    answers: { manifest: status(429) },
    code: "E_REGISTRY_RATE",
    says: /limits the rate/,
    asked: { manifest: 5 },
  },
  {
    what: "429 that asks for a day",
    answers: { manifest: status(429, { "retry-after": "86400" }) },
    code: "E_REGISTRY_RATE",
    says: /asked again in 86400 s/,
    asked: { manifest: 1 },
  },
  {
    what: "503 that asks for more than all time",
    answers: { manifest: status(503, { "retry-after": "9".repeat(400) }) },
    code: "E_REGISTRY_STATUS",
    says: /answered 503$/m,
    asked: { manifest: 1 },
  },
  {
    what: "429 until a year far away",
    answers: { layer: status(429, { "retry-after": "Fri, 31 Dec 9999 23:59:59 GMT" }) },
    code: "E_REGISTRY_RATE",
    says: /asked again in \d+ s/,
    asked: { layer: 1 },
  },
  {
    what: "a connection that breaks each time",
    answers: { layer: ({ response }) => void response.destroy() },
    code: "E_REGISTRY_UNREACHABLE",
    says: /Cannot connect/,
    asked: { layer: 5 },
  },
  {
    what: "a body that breaks off each time a little later",
    answers: {
      layer: ({ response, bytes, before }) => {
        response.writeHead(before === 0 ? 200 : 206, { "content-length": bytes.length - before * 100 });
        response.write(bytes.subarray(before * 100, (before + 1) * 100), () => response.destroy());
      },
    },
    code: "E_REGISTRY_UNREACHABLE",
    says: /other side closed|terminated/,
    asked: { layer: 5 },
  },
  // Forms.
  {
    what: "a layer packed for the way",
    answers: { layer: gzipped },
    code: "E_REGISTRY_LIES",
    says: /encoded \("gzip"\)/,
  },
  { what: "a manifest packed for the way", answers: { manifest: gzipped }, code: "E_REGISTRY_LIES", says: /encoded/ },
  {
    what: "a config packed a thousand times",
    answers: { config: status(200, { "content-encoding": "gzip, ".repeat(1000) }) },
    code: "E_REGISTRY_LIES",
    says: /encoded/,
  },
  {
    what: "what is no HTTP",
    answers: { layer: raw("220 ready\r\n") },
    code: "E_REGISTRY_UNREACHABLE",
    says: /does not match the HTTP/,
  },
  {
    what: "headers of a megabyte",
    answers: { layer: raw(`HTTP/1.1 200 OK\r\nA: ${"a".repeat(1 << 20)}\r\n\r\n`) },
    code: "E_REGISTRY_UNREACHABLE",
    says: /OVERFLOW|Cannot connect/,
    asked: { layer: 1 },
  },
  // Redirects.
  {
    what: "a redirect to itself",
    answers: { layer: ({ request, response }) => void response.writeHead(307, { location: request.url }).end() },
    code: "E_REGISTRY_REDIRECT",
    says: /too many redirects/,
    asked: { layer: 6 },
  },
  {
    what: "redirects to ever new places",
    answers: {
      manifest: status(302, { location: "/x" }),
      other: ({ request, response }) =>
        request.url === "/v2/"
          ? void response.end()
          : void response.writeHead(301, { location: `${request.url}x` }).end(),
    },
    code: "E_REGISTRY_REDIRECT",
    says: /too many redirects/,
    asked: { manifest: 1, other: 5 },
  },
  ...["file:///etc/passwd", "unix:/run/docker.sock", "http://[", "data:,x", "javascript:1"].map((location) => ({
    what: `a redirect to ${location}`,
    answers: { layer: status(307, { location }) },
    code: "E_REGISTRY_REDIRECT",
    says: /no place that can be asked/,
    asked: { layer: 1 },
  })),
  // Ranges.
  {
    what: "another part than was asked for",
    answers: {
      layer: brokenOnce(1000, partFrom(0)),
    },
    code: "E_REGISTRY_LIES",
    says: /another part/,
    asked: { layer: 2 },
  },
  {
    what: "a part that nobody asked for",
    answers: {
      layer: partFrom(10),
    },
    code: "E_REGISTRY_LIES",
    says: /another part/,
    asked: { layer: 1 },
  },
  {
    what: "a right range with wrong bytes",
    answers: {
      layer: brokenOnce(1000, (asked) =>
        asked.request.headers.range === undefined ? chunked(flip)(asked) : partFrom(1000, flip)(asked),
      ),
    },
    code: "E_DIGEST_MISMATCH",
    says: /another digest/,
    asked: { layer: 3 },
  },
  {
    what: "that a range is beyond the end",
    answers: { layer: brokenOnce(1000, status(416)) },
    code: "E_SIZE_MISMATCH",
    says: /no more than 1000 bytes, expected/,
    asked: { layer: 2 },
  },
  // Waiting.
  {
    what: "nothing",
    answers: { manifest: silent },
    waits: true,
    code: "E_REGISTRY_STALLED",
    says: /does not go on/,
    asked: { manifest: 1 },
  },
  {
    what: "headers without end",
    answers: { layer: drippingHeaders },
    waits: true,
    code: "E_REGISTRY_STALLED",
    says: /does not go on/,
  },
  ...["102 Processing", "103 Early Hints\r\nlink: </x>"].map((line) => ({
    what: `${line.slice(0, 3)} for ever`,
    answers: { layer: announcing(line) },
    waits: true,
    code: "E_REGISTRY_STALLED",
    says: /does not go on/,
    asked: { layer: 1 },
  })),
  {
    what: "another protocol",
    answers: { layer: raw("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n") },
    code: "E_REGISTRY_UNREACHABLE",
    says: /bad upgrade/,
  },
  {
    what: "two lengths",
    answers: { layer: raw("HTTP/1.1 200 OK\r\ncontent-length: 201728\r\ncontent-length: 5\r\n\r\nabcde") },
    code: "E_REGISTRY_UNREACHABLE",
    says: /Cannot connect/,
  },
  {
    what: "a chunk's extension without end",
    answers: {
      layer: ({ request: { socket } }) => {
        socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;a=");
        const timer = setInterval(() => socket.write("x"), 20);
        socket.on("close", () => clearInterval(timer)).on("error", () => undefined);
      },
    },
    waits: true,
    code: "E_REGISTRY_STALLED",
    says: /does not go on/,
  },
  {
    what: "half a manifest",
    answers: { manifest: stalled(50) },
    waits: true,
    code: "E_REGISTRY_STALLED",
    says: /does not go on/,
  },
  {
    what: "a manifest in drops",
    answers: { manifest: dripping },
    waits: true,
    code: "E_REGISTRY_STALLED",
    says: /does not go on/,
  },
  {
    what: "no byte of a layer",
    answers: { layer: stalled(0) },
    waits: true,
    code: "E_REGISTRY_STALLED",
    says: /does not go on/,
    asked: { layer: 1 },
  },
  {
    what: "half a layer",
    answers: { layer: stalled(9000) },
    waits: true,
    code: "E_REGISTRY_STALLED",
    says: /does not go on/,
    asked: { layer: 2 },
  },
  {
    what: "a layer in drops",
    answers: { layer: dripping },
    waits: true,
    code: "E_REGISTRY_STALLED",
    says: /does not go on/,
    asked: { layer: 2 },
  },
  {
    what: "an error without end",
    answers: { layer: endless("text/plain") },
    code: "E_SIZE_MISMATCH",
    says: /got more than/,
  },
  {
    what: "a 404 whose text does not come",
    answers: {
      manifest: stalled(0, 404),
    },
    waits: true,
    code: "E_REGISTRY_STALLED",
    says: /does not go on/,
  },
  // Bytes.
  {
    what: "a layer that it says is longer",
    answers: {
      layer: ({ response, bytes }) => void response.writeHead(200, { "content-length": bytes.length + 1 }).end(),
    },
    code: "E_SIZE_MISMATCH",
    says: /expected/,
    asked: { layer: 1 },
  },
  {
    what: "a longer layer",
    answers: { layer: chunked((bytes) => Buffer.concat([bytes, bytes])) },
    code: "E_SIZE_MISMATCH",
    says: /got more than/,
    asked: { layer: 1 },
  },
  {
    what: "a shorter layer",
    answers: { layer: chunked((bytes) => bytes.subarray(0, -1)) },
    code: "E_SIZE_MISMATCH",
    says: /expected/,
    asked: { layer: 5 },
  },
  {
    what: "an empty layer",
    answers: { layer: chunked(() => Buffer.alloc(0)) },
    code: "E_SIZE_MISMATCH",
    says: /got 0 bytes/,
    asked: { layer: 5 },
  },
  {
    what: "a layer of other bytes",
    answers: { layer: chunked(flip) },
    code: "E_DIGEST_MISMATCH",
    says: /another digest/,
    asked: { layer: 2 },
  },
  {
    what: "a config of other bytes",
    answers: { config: chunked(flip) },
    code: "E_DIGEST_MISMATCH",
    says: /another digest/,
    asked: { config: 2 },
  },
  // Manifests.
  {
    what: "a manifest with another digest than it says",
    answers: {
      manifest: status(
        200,
        { "content-type": manifestType, "docker-content-digest": `sha256:${"0".repeat(64)}` },
        "{}",
      ),
    },
    code: "E_REGISTRY_LIES",
    says: /not sha256:0{64}/,
  },
  {
    what: "a manifest larger than the limit",
    answers: { manifest: chunked((bytes) => Buffer.concat([bytes, Buffer.alloc(4 << 20, " ")])) },
    code: "E_REGISTRY_LIES",
    says: /larger than 4194304 bytes/,
  },
  {
    what: "a manifest without end",
    answers: { manifest: endless(manifestType) },
    code: "E_REGISTRY_LIES",
    says: /larger than 4194304 bytes/,
  },
  {
    what: "a web page",
    answers: { manifest: status(200, { "content-type": "Text/HTML; charset=utf-8" }, "<html>") },
    code: "E_REGISTRY_LIES",
    says: /web page/,
  },
  {
    what: "a web page for a layer",
    answers: { layer: status(200, { "content-type": "text/html" }, "<html>") },
    code: "E_SIZE_MISMATCH",
    says: /expected/,
  },
  {
    what: "a manifest that it calls an index",
    answers: { manifest: chunked((bytes) => bytes, "application/vnd.oci.image.index.v1+json") },
    code: "E_MANIFEST_INVALID",
    says: /type says that it is an index/,
  },
  {
    what: "a manifest that is no JSON",
    answers: { manifest: chunked(() => Buffer.from("{")) },
    code: "E_MANIFEST_INVALID",
    says: /Cannot read/,
  },
  {
    what: "a manifest with a digest that is a path",
    answers: {
      manifest: chunked((bytes) =>
        Buffer.from(bytes.toString().replaceAll(/sha256:.{64}/g, "sha256:../../../../etc/x")),
      ),
    },
    code: "E_MANIFEST_INVALID",
    says: /invalid digest in config/,
  },
  {
    what: "a manifest with a config of a terabyte",
    answers: {
      manifest: chunked((bytes) => Buffer.from(bytes.toString().replace(/"size":\d+/, '"size":1099511627776'))),
    },
    code: "E_MANIFEST_INVALID",
    says: /too large/,
  },
  // Tokens.
  ...(
    [
      ["no JSON", status(200, {}, "<html>"), /127.0.0.1:\d+ gave no token/],
      ["no token", status(200, {}, '{"token":null}'), /gave no token/],
      ["two headers", status(200, {}, JSON.stringify({ token: "a\r\nx-evil: 1" })), /gave no token/],
      ["two megabytes", status(200, {}, JSON.stringify({ token: "a".repeat(2 << 20) })), /gave no token/],
      ["no end", endless("application/json"), /gave no token/],
      ["a redirect", status(302, { location: "http://127.0.0.1:1/" }), /its token service 127.0.0.1:\d+ answered 302/],
      ["a refusal", status(400), /its token service 127.0.0.1:\d+ answered 400/],
    ] as const
  ).map(([what, answer, says]) => ({
    what: `${what} for a token`,
    answers: tokens(answer),
    code: "E_REGISTRY_AUTH",
    says,
    asked: { manifest: 1, token: 1 },
  })),
  {
    what: "500 for ever for a token",
    answers: tokens(status(500)),
    code: "E_REGISTRY_STATUS",
    says: /its token service 127.0.0.1:\d+ answered 500/,
    asked: { manifest: 1, token: 5 },
  },
  {
    what: "429 for a token that asks for a day",
    answers: tokens(status(429, { "retry-after": "86400" })),
    code: "E_REGISTRY_RATE",
    says: /asked again in 86400 s/,
    asked: { manifest: 1, token: 1 },
  },
  {
    what: "no peace with any token",
    answers: tokens(status(200, {}, JSON.stringify({ token: "abc", expires_in: -1e300 }))),
    code: "E_REGISTRY_AUTH",
    says: /refused it \(401\)/,
    asked: { manifest: 2, token: 1 },
  },
  {
    what: "no token at all",
    answers: tokens(silent),
    waits: true,
    code: "E_REGISTRY_STALLED",
    says: /does not go on/,
    asked: { manifest: 1, token: 1 },
  },
  ...["file:///etc/passwd", "http://169.254.169.254/latest", "unix:/run/x", "http://me:pw@127.0.0.1/"].map((realm) => ({
    what: `tokens of ${realm}`,
    answers: { manifest: challenge(realm) },
    code: "E_REGISTRY_AUTH",
    says: /its token service may not be asked/,
    asked: { manifest: 1 },
  })),
];

function pullFrom(registry: HostileRegistry, root: string, patience = longPatience): ReturnType<typeof pull> {
  return pull({ root, image: registry.image, registry: { patience } });
}

/** The error, with all that is told of it. */
async function failure(act: Promise<unknown>): Promise<{ readonly code: string; readonly text: string }> {
  const error: unknown = await act.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof TsbuildError)) throw new Error("it went well, or not by an error of ours", { cause: error });
  expect(error.message).toMatch(/^Cannot /);
  expect(error.hint).toMatch(/\S/);
  return { code: error.code, text: [error.message, ...error.notes].join("\n") };
}

/** No name, and no bytes under a digest that is not theirs. */
async function expectClean(root: string, registry: HostileRegistry): Promise<void> {
  await using store = await openStore({ root });
  expect(store.refs.get(registry.image)).toBeUndefined();
  for (const { digest } of store.content.list()) {
    const [algorithm = "", hex] = digest.split(":");
    expect(hash(algorithm, readFileSync(store.content.path(digest)))).toBe(hex);
  }
}

/** Blobs that a next pull goes on with. */
function begun(root: string): readonly string[] {
  const directory = join(root, "ingest");
  return existsSync(directory) ? readdirSync(directory) : [];
}

/** After which the bytes that came are kept. */
const resumable = /^(?:a body that breaks off|another part|half a layer|a layer in drops)/;

describe("pull() from a registry that answers", () => {
  for (const { what, answers, code, says, asked = {}, waits = false } of rows) {
    (waits ? it.concurrent : it)(`${what}: ${code}`, async () => {
      await using registry = await HostileRegistry.start();
      using project = new Project({});
      registry.answers = answers;
      const failed = await failure(pullFrom(registry, project.store, waits ? shortPatience : longPatience));
      expect(failed).toEqual({ code, text: expect.stringMatching(says) });
      const counts = Object.keys(asked).map((part) => [
        part,
        registry.requests.filter((one) => one.part === part).length,
      ]);
      expect(Object.fromEntries(counts)).toEqual(asked);
      await expectClean(project.store, registry);
      if (!resumable.test(what)) expect(begun(project.store)).toEqual([]);
      registry.answers = {};
      expect(await pullFrom(registry, project.store)).toMatchObject({ digest: registry.digest });
    });
  }
});
