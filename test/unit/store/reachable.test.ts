import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { digestOf, splitDigest, type Digest } from "../../../store/oci/digest.ts";
import { Reachable } from "../../../store/reachable.ts";
import { makeTemp } from "../../rig/temp.ts";

/** What is found from the last of these texts; `$N` stands for the digest of the one before it by that number. */
function follow(texts: readonly string[]): { readonly blobs: readonly number[]; readonly chains: readonly string[] } {
  using temp = makeTemp();
  const path = (digest: Digest): string => join(temp.path, splitDigest(digest).hex);
  const digests: Digest[] = [];
  for (const text of texts) {
    const filled = text.replaceAll(/\$(\d)/g, (_, at: string) => String(digests[Number(at)]));
    digests.push(digestOf(filled));
    writeFileSync(path(digestOf(filled)), filled);
  }
  const found = { blobs: new Set<Digest>(), chains: new Set<string>() };
  new Reachable(path).follow(digests.slice(-1), found);
  return {
    blobs: [...found.blobs].map((digest) => digests.indexOf(digest)).toSorted((a, b) => a - b),
    chains: [...found.chains],
  };
}

const layer = "layer";
const diff = `sha256:${"a".repeat(64)}`;
const config = `{"rootfs":{"diff_ids":["${diff}"]}}`;

describe("Reachable", () => {
  it.each([
    ["an image", ['{"config":{"digest":"$1"},"layers":[{"digest":"$0"}]}'], [0, 1, 2]],
    ["an index in an index", ['{"manifests":[{"digest":"$1"}]}', '{"manifests":[{"digest":"$2"}]}'], [1, 2, 3]],
    ["an artifact of the first draft", ['{"blobs":[{"digest":"$0"}]}'], [0, 2]],
    ["an artifact whose config is no image's", ['{"config":{"digest":"$0"},"layers":null}'], [0, 2]],
    ["an index of platforms that are not here", [`{"manifests":[{"digest":"sha256:${"b".repeat(64)}"}]}`], [-1, 2]],
    ["descriptors that are none", ['{"manifests":[null,7,{"digest":"x"},{"digest":"$0"}],"config":[]}'], [0, 2]],
    ["what is no object", ['[{"digest":"$0"}]'], [2]],
    ["what is no JSON", ['{"config":{"digest":"$0"}'], [2]],
    ["an empty file", [""], [2]],
  ])("follows %s", (_, texts, blobs) => {
    expect(follow([layer, config, ...texts]).blobs).toEqual(blobs);
  });

  it("finds the layers that a config names, if it names them all", () => {
    expect(follow([config]).chains).toEqual([diff]);
    expect(follow([`{"rootfs":{"diff_ids":["${diff}",null]}}`]).chains).toEqual([]);
    expect(follow(['{"rootfs":null}']).chains).toEqual([]);
  });

  it.each([
    ["was not there", undefined],
    ["was damaged", '{"config":{"dig'],
  ])("looks again for a document that %s when it looked before", (_, before) => {
    using temp = makeTemp();
    const text = `{"config":{"digest":"${digestOf(config)}"}}`;
    const path = (digest: Digest): string => join(temp.path, splitDigest(digest).hex);
    const reachable = new Reachable(path);
    const look = (): readonly Digest[] => {
      const found = { blobs: new Set<Digest>(), chains: new Set<string>() };
      reachable.follow([digestOf(text)], found);
      return [...found.blobs];
    };
    if (before !== undefined) writeFileSync(path(digestOf(text)), before);
    expect(look()).toEqual([digestOf(text)]);
    writeFileSync(path(digestOf(text)), text);
    expect(look()).toEqual([digestOf(text), digestOf(config)]);
  });
});
