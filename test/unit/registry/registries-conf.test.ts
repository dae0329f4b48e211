import { describe, expect, it } from "vitest";
import {
  findRule,
  mergeRegistriesConf,
  noRegistriesConf,
  parseRegistriesConf,
  type RegistriesConf,
} from "../../../registry/hosts/registries-conf.ts";

function read(...texts: readonly string[]): RegistriesConf {
  return texts
    .map((text, i) => parseRegistriesConf(text, `/etc/${i}.conf`))
    .reduce(mergeRegistriesConf, noRegistriesConf);
}

describe("parseRegistriesConf()", () => {
  it("reads prefixes, locations and mirrors", () => {
    const { rules, searched } = read(`
      unqualified-search-registries = ["quay.io", "docker.io"]
      short-name-mode = "enforcing"
      [[registry]]
      prefix = "example.com/foo"
      location = "internal.example/bar/"
      insecure = true
      [[registry.mirror]]
      location = "mirror.example:5000"
      pull-from-mirror = "digest-only"
      [[registry.mirror]]
      location = "second.example/x"
      insecure = true
      [aliases]
      "fedora" = "registry.fedoraproject.org/fedora"
    `);
    expect(searched).toEqual(["quay.io", "docker.io"]);
    expect(rules).toEqual([
      {
        prefix: "example.com/foo",
        location: "internal.example/bar",
        insecure: true,
        blocked: false,
        file: "/etc/0.conf",
        mirrors: [
          { location: "mirror.example:5000", insecure: false, pullFromMirror: "digest-only" },
          { location: "second.example/x", insecure: true, pullFromMirror: "all" },
        ],
      },
    ]);
  });

  it.each([
    ["no TOML", "[[registry]\n", /0\.conf:1: /],
    ["version 1", '[registries.search]\nregistries = ["x"]\n', /version 1/],
    ["a registry without location", '[[registry]]\nprefix = "x.example"\n', /registry\[0\]\.location is missing/],
    ["a registry with nothing", "[[registry]]\n", /registry\[0\]\.prefix and location are both missing/],
    ["a URL", '[[registry]]\nlocation = "https://x.example"\n', /without a scheme/],
    ["a wildcard with a path", '[[registry]]\nprefix = "*.example/x"\n', /only \*\.domain/],
    [
      "a mirror without location",
      '[[registry]]\nlocation = "a.example"\n[[registry.mirror]]\n',
      /registry\[0\]\.mirror\[0\]\.location/,
    ],
    [
      "a text for a truth",
      '[[registry]]\nlocation = "a.example"\nblocked = "yes"\n',
      /blocked is neither true nor false/,
    ],
    ["a rule that is no table", 'registry = "x"\n', /write \[\[registry\]\]/],
    [
      "an unknown use of a mirror",
      '[[registry]]\nlocation = "a"\n[[registry.mirror]]\nlocation="b"\npull-from-mirror="never"\n',
      /pull-from-mirror/,
    ],
  ])("refuses %s and names the place", (_, text, message) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: "E_REGISTRY_CONFIG" }));
    expect(() => read(text)).toThrow(message);
  });

  it("lets later files take the place of tables with the same prefix, and in one file the first one count", () => {
    const first = '[[registry]]\nlocation = "a.example"\nblocked = true\n[[registry]]\nlocation = "b.example"\n';
    const second = '[[registry]]\nlocation = "a.example"\n[[registry]]\nlocation = "a.example"\ninsecure = true\n';
    const { rules } = read(first, second);
    const told = rules.map(({ prefix, blocked, insecure }) => `${prefix} ${blocked} ${insecure}`);
    expect(told.toSorted()).toEqual(["a.example false false", "b.example false false"]);
  });
});

describe("findRule()", () => {
  const { rules } = read(
    ["example.com", "example.com/foo", "example.com:5000", "*.wild.example", "deep.wild.example/x"]
      .map((prefix) => `[[registry]]\nprefix = "${prefix}"\nlocation = "to.example"\n`)
      .join(""),
  );
  it.each([
    ["example.com/bar", "example.com", 11],
    ["example.com/foo", "example.com/foo", 15],
    ["example.com/foo/bar", "example.com/foo", 15],
    ["example.com/foobar", "example.com", 11],
    ["example.com:5000/foo", "example.com:5000", 16],
    ["example.com:5001/foo", undefined, undefined],
    ["example.community/foo", undefined, undefined],
    ["a.b.wild.example/foo", "*.wild.example", 16],
    ["wild.example/foo", undefined, undefined],
    ["deep.wild.example/x/y", "deep.wild.example/x", 19],
    ["other.example/a.wild.example", undefined, undefined],
  ])("takes for %s the longest prefix: %s", (name, prefix, matched) => {
    const found = findRule(rules, name);
    expect([found?.rule.prefix, found?.matched]).toEqual([prefix, matched]);
  });
});
