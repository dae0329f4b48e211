import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../store/oci/parse-config.ts";
import { parseManifest } from "../../../store/oci/parse.ts";
import { formatPlatform, hostPlatform, matchPlatform, parsePlatform } from "../../../store/oci/platform.ts";
import { familiarName, normalizeReference } from "../../../store/oci/reference.ts";

const digest = `sha256:${"ab".repeat(32)}`;
const config = `"config":{"mediaType":"c","digest":"${digest}","size":1}`;
const manifest = `{"schemaVersion":2,${config},"layers":[]}`;
const index = '{"schemaVersion":2,"manifests":[]}';
const indexType = "application/vnd.oci.image.index.v1+json";
const manifestType = "application/vnd.docker.distribution.manifest.v2+json";

describe("parseManifest()", () => {
  it("takes a manifest and an index", () => {
    expect(parseManifest(Buffer.from(manifest), undefined).kind).toBe("manifest");
    expect(parseManifest(Buffer.from(index), undefined).kind).toBe("index");
  });

  it.each([
    ["layers that are null", manifest.replace("[]", "null"), undefined, "manifest"],
    ["no layers at all", manifest.replace(',"layers":[]', ""), undefined, "manifest"],
    ["manifests of null beside layers", manifest.replace("{", '{"manifests":null,'), undefined, "manifest"],
    [
      "annotations, subject and urls of null",
      manifest.replace('"size":1', '"size":1,"urls":null,"annotations":null'),
      undefined,
      "manifest",
    ],
    ["manifests that are null", index.replace("[]", "null"), indexType, "index"],
    ["an index with nothing in it", '{"schemaVersion":2}', indexType, "index"],
  ])("takes %s", (_, text, type, kind) => {
    const found = parseManifest(Buffer.from(text), type);
    expect(found.kind).toBe(kind);
    expect(found.kind === "index" ? found.value.manifests : found.value.layers).toEqual([]);
  });

  it("takes an annotation of null for an empty one, and a platform without words for none", () => {
    const one = `{"mediaType":null,"digest":"${digest}","size":1,"annotations":{"a":null},"platform":{"os":"","architecture":""}}`;
    expect(parseManifest(Buffer.from(index.replace("[]", `[${one}]`)), undefined)).toMatchObject({
      value: { manifests: [{ mediaType: "application/octet-stream", digest, size: 1, annotations: { a: "" } }] },
    });
  });

  it("names schema 1", () => {
    const schema1 = '{"schemaVersion":1,"name":"a","tag":"b","fsLayers":[],"history":[]}';
    expect(() => parseManifest(Buffer.from(schema1), "application/vnd.docker.distribution.manifest.v1+json")).toThrow(
      /Docker's schema 1/,
    );
  });

  it.each([
    ["layers that are no list", manifest.replace("[]", "{}"), undefined],
    ["neither of them", '{"schemaVersion":2}', undefined],
    ["an index of null with layers", '{"schemaVersion":2,"manifests":[],"layers":[]}', undefined],
    ["both at once", `{"schemaVersion":2,${config},"layers":[],"manifests":[]}`, undefined],
    ["an index with a config", `{"schemaVersion":2,${config},"manifests":[]}`, undefined],
    ["a manifest that came as an index", manifest, indexType],
    ["an index that came as a manifest", index, manifestType],
    ["one that says it is an index", manifest.replace("{", `{"mediaType":"${indexType}",`), undefined],
    ["a key that is there twice", manifest.replace("{", '{"layers":[],'), undefined],
    ["the same key in an escape", manifest.replace("{", '{"l\\u0061yers":[],'), undefined],
    ["a key twice deep inside", manifest.replace('"size":1', '"size":1,"size":2'), undefined],
    ["a key in other letters", manifest.replace("{", '{"Layers":[],'), undefined],
    ["a digest in other letters", manifest.replace('"digest"', '"Digest":"x","digest"'), undefined],
    ["a config of 5 MiB", manifest.replace('"size":1', `"size":${5 << 20}`), undefined],
    ["urls that are none", manifest.replace('"size":1', '"size":1,"urls":"http://x"'), undefined],
    ["a size with a fraction", manifest.replace('"size":1', '"size":1.5'), undefined],
    ["a list", "[]", undefined],
  ])("refuses %s", (_, text, type) => {
    expect(() => parseManifest(Buffer.from(text), type)).toThrow(
      expect.objectContaining({ code: "E_MANIFEST_INVALID" }),
    );
  });
});

describe("parseConfig()", () => {
  const parse = (fields: string): unknown =>
    parseConfig(Buffer.from(`{"architecture":"amd64","os":"linux","rootfs":{"diff_ids":[]}${fields}}`));

  it("leaves out what is null", () => {
    const found = parse(
      ',"author":null,"config":{"Labels":null,"Healthcheck":{"Test":null}},"history":[{"author":null}]',
    );
    expect(found).toMatchObject({ config: { Healthcheck: {} }, history: [{}] });
    expect(found).not.toHaveProperty("author");
  });

  it.each([
    ['"Labels":{"a":null}', { Labels: { a: "" } }],
    ['"Env":["A=b",null]', { Env: ["A=b", ""] }],
    ['"Cmd":"sh"', { Cmd: ["sh"] }],
    ['"Entrypoint":"/init"', { Entrypoint: ["/init"] }],
    ['"Shell":"/bin/sh"', { Shell: ["/bin/sh"] }],
    ['"ExposedPorts":{"80/tcp":null}', { ExposedPorts: { "80/tcp": {} } }],
    ['"Volumes":{"/v":null}', { Volumes: { "/v": {} } }],
    ['"Env":null,"Cmd":null,"ExposedPorts":null,"OnBuild":null', {}],
  ])("reads %s as Go does", (fields, wanted) => {
    expect(parse(`,"config":{${fields}}`)).toHaveProperty("config", wanted);
  });

  it.each([
    ["history of null", '{"architecture":"amd64","os":"linux","rootfs":{"diff_ids":null},"history":null}'],
    ["a line of history of null", '{"architecture":"amd64","os":"linux","rootfs":null,"history":[null]}'],
    ["no architecture", '{"os":"linux","rootfs":{}}'],
    ["no system", '{"architecture":"","os":"","rootfs":{"diff_ids":[]},"config":null}'],
  ])("takes %s", (_, text) => {
    const { os, architecture } = hostPlatform();
    expect(parseConfig(Buffer.from(text))).toMatchObject({ os, architecture, rootfs: { diff_ids: [] }, config: {} });
  });

  it("takes no empty object for an image", () => {
    expect(() => parseConfig(Buffer.from("{}"))).toThrow(expect.objectContaining({ code: "E_CONFIG_INVALID" }));
  });

  it.each([
    ',"history":5',
    ',"history":[1]',
    ',"history":[{"created":5}]',
    ',"created":{}',
    ',"config":{"Labels":{"a":1}}',
    ',"config":{"Labels":[]}',
    ',"config":{"ExposedPorts":["80"]}',
    ',"config":{"Volumes":"x"}',
    ',"config":{"Healthcheck":{"Interval":"1s"}}',
    ',"config":{"Healthcheck":7}',
    ',"config":{"Env":"A=b"}',
  ])("refuses %s", (fields) => {
    expect(() => parse(fields)).toThrow(expect.objectContaining({ code: "E_CONFIG_INVALID" }));
  });
});

describe("parsePlatform()", () => {
  it("knows no architecture by the names that every object has", () => {
    expect(formatPlatform(parsePlatform("linux/constructor"))).toBe("linux/constructor");
    expect(() => parsePlatform("constructor")).toThrow(expect.objectContaining({ code: "E_PLATFORM_INVALID" }));
  });

  it.each([
    ["linux/arm64/v8.0", "linux/arm64"],
    ["linux/arm64/8", "linux/arm64"],
    ["linux/arm64/9.0", "linux/arm64/v9"],
    ["linux/arm", "linux/arm/v7"],
    ["linux/arm/6", "linux/arm/v6"],
    ["linux/armhf", "linux/arm/v7"],
    ["linux/i386/v1", "linux/386"],
    ["linux/x86_64/v1", "linux/amd64"],
    ["macos/arm64", "darwin/arm64"],
    ["darwin", formatPlatform({ ...hostPlatform(), os: "darwin" })],
    ["macos", formatPlatform({ ...hostPlatform(), os: "darwin" })],
    ["windows", formatPlatform({ ...hostPlatform(), os: "windows" })],
    ["wasm", "linux/wasm"],
  ])("reads %s as %s, as containerd does", (text, wanted) => {
    expect(formatPlatform(parsePlatform(text))).toBe(wanted);
  });
});

describe("matchPlatform()", () => {
  const rank = (wanted: string, offered: string): number | undefined =>
    matchPlatform(parsePlatform(wanted), parsePlatform(offered));

  it("lets 64 bits run 32, and no other way round", () => {
    const order = ["linux/arm64", "linux/arm/v8", "linux/arm/v7", "linux/arm/v6"].map((one) =>
      rank("linux/arm64", one),
    );
    expect(order).toEqual(order.toSorted((a, b) => (a ?? Infinity) - (b ?? Infinity)));
    expect(order).not.toContain(undefined);
    expect(rank("linux/amd64", "linux/386")).toBeDefined();
    expect(rank("linux/arm/v7", "linux/arm64")).toBeUndefined();
    expect(rank("linux/386", "linux/amd64")).toBeUndefined();
    expect(rank("linux/arm64", "darwin/arm64")).toBeUndefined();
  });
});

describe("familiarName()", () => {
  it.each([
    ["docker.io/library/alpine:3", "alpine:3"],
    ["docker.io/a/b:1", "a/b:1"],
    ["docker.io/library/a/b:1", "library/a/b:1"],
    ["docker.io/b.c/d:1", "docker.io/b.c/d:1"],
    ["localhost:5000/a:1", "localhost:5000/a:1"],
  ])("of %s is %s, which is the same name", (full, short) => {
    expect(familiarName(full)).toBe(short);
    expect(normalizeReference(short)).toBe(full);
  });
});
