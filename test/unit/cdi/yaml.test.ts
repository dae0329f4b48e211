import { describe, expect, it } from "vitest";
import { parseYaml } from "../../../builder/inputs/cdi/yaml.ts";

/** A few lines that stand for 9^9 texts. */
const laughs = Array.from(
  { length: 9 },
  (_, at) => `k${at}: &a${at} [${Array.from({ length: 9 }, () => (at === 0 ? "x" : `*a${at - 1}`)).join(", ")}]`,
).join("\n");

describe("parseYaml()", () => {
  it("reads what generators of CDI files write", () => {
    const text = `---
cdiVersion: 0.5.0   # a version is text: it has two dots
containerEdits:
  deviceNodes:
  - path: /dev/nvidia-modeset
    fileMode: 0666
  - path: "/dev/with \\"quotes\\" and \\u00e9"
  env:
  - NVIDIA_VISIBLE_DEVICES=void
  - 'IT=it''s # no comment'
  hooks: []
  mounts:
      - containerPath: /usr/lib/x#y
        options:
        - ro
        - rbind
devices:
-
  name: "0"
  containerEdits: {env: [A=1, "B=x,y"], deviceNodes: [{path: /dev/a, uid: 0o17}, ], }
- name: all

  annotations:
    org.mobyproject.buildkit.device.autoallow: true
    nothing:
    "quoted: key": ~
kind: nvidia.com/gpu
`;
    expect(parseYaml(text)).toEqual({
      cdiVersion: "0.5.0",
      containerEdits: {
        deviceNodes: [{ path: "/dev/nvidia-modeset", fileMode: 0o666 }, { path: '/dev/with "quotes" and é' }],
        env: ["NVIDIA_VISIBLE_DEVICES=void", "IT=it's # no comment"],
        hooks: [],
        mounts: [{ containerPath: "/usr/lib/x#y", options: ["ro", "rbind"] }],
      },
      devices: [
        {
          name: "0",
          containerEdits: { env: ["A=1", "B=x,y"], deviceNodes: [{ path: "/dev/a", uid: 15 }] },
        },
        {
          name: "all",
          annotations: {
            "org.mobyproject.buildkit.device.autoallow": true,
            nothing: null,
            "quoted: key": null,
          },
        },
      ],
      kind: "nvidia.com/gpu",
    });
  });

  it.each([
    ["", null],
    ["# nothing\n\n", null],
    ["a", "a"],
    ["[1, -2, 0x10, 1.5, 007, 08, 0o17, 1e3]", [1, -2, 16, 1.5, 7, 8, 15, 1000]],
    ["[True, FALSE, Null, ~]", [true, false, null, null]],
    ["- - a\n  - b\n- - c", [["a", "b"], ["c"]]],
    ["a:\n- b\nc: d", { a: ["b"], c: "d" }],
    ["a : b", { a: "b" }],
    ["a:\r\n  b: c\r\n", { a: { b: "c" } }],
    ["a: http://x:80/y", { a: "http://x:80/y" }],
    ["{a: {b: []}}", { a: { b: [] } }],
    ["a: |\n  text\n  more", { a: "text\nmore\n" }],
    ["a: >-\n  text\n  more", { a: "text more" }],
    ["a: &x [1]\nb: *x", { a: [1], b: [1] }],
    ["a: !!str 1", { a: "1" }],
    ["__proto__: x", Object.fromEntries([["__proto__", "x"]])],
  ])("reads %j", (text, value) => {
    expect(parseYaml(text)).toEqual(value);
  });

  it.each([
    ["a: 1\na: 2", "line 2", "twice"],
    ["{a: 1, a: 2}", "line 1", "twice"],
    ["a: *x", "line 1", "alias"],
    ["a: b: c", "line 1", "[Nn]ested mappings"],
    ["\ta: 1", "line 1", "[Tt]abs"],
    ["a: 1\n---\nb: 2", "line 2", "another document"],
    ["a:\n  b: 1\n c: 2", "line 3", "same column"],
    ["a: [1, 2", "line 1", "end with a \\]"],
    ['a: "x', "line 1", "closing"],
    ['a: "\\q"', "line 1", "escape"],
    ["[".repeat(100_000), "line 1", "too deep"],
    [laughs, "line 1", "[Ee]xcessive alias count"],
  ])("refuses %j", (text, line, message) => {
    expect(() => parseYaml(text)).toThrow(new RegExp(`${line}.*${message}`));
  });

  it("takes a time that grows with the text alone", () => {
    const entries = 5000;
    const value = parseYaml(`devices:\n${"- name: x\n  env: [a, b]\n".repeat(entries)}`);
    expect(value).toMatchObject({ devices: { length: entries } });
  });
});
