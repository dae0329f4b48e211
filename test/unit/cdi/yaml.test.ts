import { describe, expect, it } from "vitest";
import { parseYaml } from "../../../builder/inputs/cdi/yaml.ts";

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
    ["[1, -2, 0x10, 1.5, 007, 08]", [1, -2, 16, "1.5", 7, "08"]],
    ["- - a\n  - b\n- - c", [["a", "b"], ["c"]]],
    ["a:\n- b\nc: d", { a: ["b"], c: "d" }],
    ["a:\r\n  b: c\r\n", { a: { b: "c" } }],
    ["a: http://x:80/y", { a: "http://x:80/y" }],
    ["{a: {b: []}}", { a: { b: [] } }],
    ["__proto__: x", Object.fromEntries([["__proto__", "x"]])],
  ])("reads %j", (text, value) => {
    expect(parseYaml(text)).toEqual(value);
  });

  it.each([
    ["a: 1\na: 2", "line 2", "twice"],
    ["{a: 1, a: 2}", "line 1", "twice"],
    ["a: &x 1", "line 1", "more than this reader knows"],
    ["a: *x", "line 1", "more than"],
    ["a: !!str 1", "line 1", "more than"],
    ["a: |\n  text", "line 1", "more than"],
    ["a: b: c", "line 1", "more than"],
    ["\ta: 1", "line 1", "tab"],
    ["a: 1\n---\nb: 2", "line 2", "key: value"],
    ["a:\n  b: 1\n c: 2", "line 3", "not expected"],
    ["a: 1\n  b: 2", "line 2", "not expected"],
    ["a: [1, 2", "line 1", "missing"],
    ["a: [1] 2", "line 1", "follows"],
    ['a: "x', "line 1", "not closed"],
    ['a: "\\q"', "line 1", "escape"],
    [`a: ${"[".repeat(100)}${"]".repeat(100)}`, "line 1", "too deep"],
    [Array.from({ length: 100 }, (_, at) => `${" ".repeat(at)}a:`).join("\n"), "line", "too deep"],
    [`${"- ".repeat(100)}a`, "line 1", "too deep"],
  ])("refuses %j", (text, line, message) => {
    expect(() => parseYaml(text)).toThrow(new RegExp(`${line}.*${message}`));
  });

  it("takes a time that grows with the text alone", () => {
    const entries = 50_000;
    const value = parseYaml(`devices:\n${"- name: x\n  env: [a, b]\n".repeat(entries)}`);
    expect(value).toMatchObject({ devices: { length: entries } });
  });
});
