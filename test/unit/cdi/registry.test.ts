import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { deviceGrants, grantedDevices } from "../../../builder/inputs/cdi/grants.ts";
import { CdiRegistry } from "../../../builder/inputs/cdi/registry.ts";
import { parseSpec } from "../../../builder/inputs/cdi/spec.ts";
import { makeTemp, type Temp } from "../../rig/temp.ts";

const classOf = (name: string): string => `  annotations: {org.mobyproject.buildkit.device.class: ${name}}\n`;
const spec = (kind: string, ...devices: readonly (readonly [string, string?])[]): string =>
  `cdiVersion: "0.6.0"\nkind: ${kind}\ndevices:\n${devices.map(([name, more = ""]) => `- name: ${name}\n${more}`).join("")}`;

function directories(files: Readonly<Record<string, string>>): Temp & { readonly paths: readonly string[] } {
  const temp = makeTemp();
  const paths = ["etc", "run"].map((name) => join(temp.path, name));
  for (const path of paths) mkdirSync(path);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(temp.path, name), text);
  return { ...temp, paths };
}

const devices = {
  "etc/multi.yaml": spec("v.com/multi", ["qux"], ["foo"], ["bar", classOf("one")], ["baz", classOf("one")]),
  "etc/single.json": JSON.stringify({ cdiVersion: "0.3.0", kind: "v.com/single", devices: [{ name: "foo" }] }),
  "etc/allowed.yaml": spec("v.com/allowed", [
    "a",
    "  annotations:\n    org.mobyproject.buildkit.device.autoallow: true\n",
  ]),
  "etc/README.txt": "no specification",
};
const find = (registry: CdiRegistry, ...names: readonly string[]): readonly string[] =>
  registry.find(names.map((name) => ({ name, required: true }))).map(({ name }) => name);

describe("CdiRegistry", () => {
  it.each([
    ["v.com/single=foo", ["v.com/single=foo"]],
    ["v.com/multi", ["v.com/multi=bar"]],
    ["v.com/multi=*", ["v.com/multi=bar", "v.com/multi=baz", "v.com/multi=foo", "v.com/multi=qux"]],
    ["v.com/multi=one", ["v.com/multi=bar", "v.com/multi=baz"]],
  ])("finds %s", (name, expected) => {
    using held = directories(devices);
    expect(find(CdiRegistry.read(held.paths), name)).toEqual(expected);
  });

  it("gives each device once, leaves out what is optional and not there, and names what is missing", () => {
    using held = directories({ ...devices, "run/broken.yaml": "a: [" });
    const registry = CdiRegistry.read(held.paths);
    expect(find(registry, "v.com/multi=bar", "v.com/multi=one")).toEqual(["v.com/multi=bar", "v.com/multi=baz"]);
    expect(registry.find([{ name: "v.com/none=x", required: false }])).toEqual([]);
    const missing = expect.objectContaining({
      code: "E_DEVICE_NOT_FOUND",
      notes: [expect.stringMatching(/broken.yaml: line 1/), expect.stringContaining("v.com/allowed=a")],
    });
    expect(() => find(registry, "v.com/single=none")).toThrow(missing);
    for (const name of ["foo", "v.com", "v.com/x=", "/x=a", "v.com/x=a b", "v.com/../x=a", "v.com/x=-"]) {
      const code = name === "v.com/x=" ? "E_DEVICE_NOT_FOUND" : "E_DEVICE_NAME";
      expect(() => find(registry, name)).toThrow(expect.objectContaining({ code }));
    }
  });

  it("takes a device of the later directory, and none that two files of one have", () => {
    using held = directories({
      "etc/a.yaml": spec("v.com/x", ["one"], ["two"]),
      "etc/b.yaml": spec("v.com/x", ["two"]),
      "run/a.json": spec("v.com/x", ["three"]),
      "run/c.yaml": spec("v.com/x", ["one", "  annotations: {from: run}\n"]),
    });
    const registry = CdiRegistry.read(held.paths);
    expect(find(registry, "v.com/x=*")).toEqual(["v.com/x=one"]);
    expect(registry.get("v.com/x=one").device.annotations).toEqual({ from: "run" });
  });

  it("has nothing where there is no directory", () => {
    expect(CdiRegistry.read(["/nowhere"]).find([])).toEqual([]);
  });
});

describe("grantedDevices()", () => {
  const granted = (allow: readonly string[], ...requests: readonly string[]): readonly string[] => {
    using held = directories(devices);
    const wanted = requests.map((name) => ({ name, required: true }));
    return grantedDevices(CdiRegistry.read(held.paths), deviceGrants(allow), wanted).map(({ name }) => name);
  };

  it.each([
    [["device"], "v.com/multi=*", 4],
    [["device="], "v.com/multi=*", 4],
    [["device=v.com/multi=*"], "v.com/multi=qux", 1],
    [["device=v.com/multi=one"], "v.com/multi=bar", 1],
    [["device=v.com/multi", "device=v.com/multi=foo"], "v.com/multi=foo", 1],
    [["network.host"], "v.com/allowed=a", 1],
    [["device=v.com/single=foo,alias=gpu"], "gpu", 1],
    [["device=v.com/none=x"], "v.com/allowed", 1],
  ])("with %j a build may have %s", (allow, request, count) => {
    expect(granted(allow, request)).toHaveLength(count);
  });

  it.each([
    [[], "v.com/single=foo"],
    [["device=v.com/multi=foo"], "v.com/multi=*"],
    [["device=v.com/multi=foo"], "v.com/single=foo"],
    [["device=v.com/single=foo,alias=gpu"], "v.com/single=foo"],
    [["network.host", "security.insecure"], "v.com/multi"],
  ])("with %j it may not have %s", (allow, request) => {
    expect(() => granted(allow, request)).toThrow(
      expect.objectContaining({ code: "E_ENTITLEMENT", hint: expect.stringContaining("--allow device=v.com/") }),
    );
  });

  it.each(["device=,alias=x", "device=a,b", "device=a,alias=", 'device="a'])("cannot read --allow %s", (word) => {
    expect(() => deviceGrants([word])).toThrow(expect.objectContaining({ code: "E_DEVICE_NAME" }));
  });
});

describe("parseSpec()", () => {
  const with1 = (edits: unknown): unknown => ({
    cdiVersion: "0.6.0",
    kind: "v.com/x",
    devices: [{ name: "a", containerEdits: edits }],
  });

  it.each([
    [{ cdiVersion: "9.9.9", kind: "v.com/x", devices: [{ name: "a" }] }, "cdiVersion"],
    [{ cdiVersion: "0.6.0", kind: "x", devices: [{ name: "a" }] }, "vendor/class"],
    [{ cdiVersion: "0.6.0", kind: "v.com/x", devices: [] }, "no devices"],
    [{ cdiVersion: "0.6.0", kind: "v.com/x", devices: [{ name: "a" }, { name: "a" }] }, "twice"],
    [{ cdiVersion: "0.6.0", kind: "v.com/x", devices: [{ name: "a=b" }] }, "no name of a device"],
    [{ cdiVersion: "0.6.0", kind: "v.com/x", devices: [{ name: "a" }], more: 1 }, '"more"'],
    [with1({ env: ["X"] }), "NAME=value"],
    [with1({ env: ["X=\0"] }), "NAME=value"],
    [with1({ deviceNodes: [{ path: "dev/x" }] }), "not absolute"],
    [with1({ deviceNodes: [{ path: "/dev/x", type: "z" }] }), "not b, c, u or p"],
    [with1({ deviceNodes: [{ path: "/dev/x", permissions: "rx" }] }), "not of r, w and m"],
    [with1({ deviceNodes: [{ path: "/dev/x", major: -1 }] }), "major"],
    [with1({ deviceNodes: [{ path: "/dev/x", uid: 0xffff_ffff }] }), "uid"],
    [with1({ deviceNodes: [{ path: "/dev/x", mode: 1 }] }), '"mode"'],
    [with1({ mounts: [{ hostPath: "/x" }] }), "containerPath is missing"],
    [with1({ mounts: [{ hostPath: "/x", containerPath: "/y", options: [1] }] }), "mount option"],
    [with1({ additionalGids: ["5"] }), "additionalGids"],
    [with1("x"), "no table"],
    [null, "no table"],
    [[], "no table"],
  ])("refuses %j", (value, message) => {
    expect(() => parseSpec(value, "/f")).toThrow(message);
  });

  it("knows what it cannot do, and what is meant where nothing is said", () => {
    const [device] = parseSpec(
      with1({ hooks: [{ hookName: "x" }], deviceNodes: [{ path: "/dev/x" }], additionalGIDs: [0, 5] }),
      "/f",
    ).devices;
    expect(device?.edits).toMatchObject({
      unsupported: ["hooks"],
      additionalGids: [5],
      deviceNodes: [{ hostPath: "/dev/x", permissions: "rwm", type: undefined, fileMode: undefined }],
    });
  });
});
