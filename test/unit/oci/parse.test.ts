import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../store/oci/parse-config.ts";
import { parseManifest } from "../../../store/oci/parse.ts";
import { formatPlatform, parsePlatform } from "../../../store/oci/platform.ts";
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
