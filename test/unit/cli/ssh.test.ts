import { describe, expect, it } from "vitest";
import { parseSsh } from "../../../builder/cli/flags/ssh.ts";

const place = { env: { SSH_AUTH_SOCK: "/run/agent" }, cwd: "/src" };
const none = { env: {}, cwd: "/src" };

describe("parseSsh()", () => {
  it.each([
    ["default", { default: { paths: ["/run/agent"] } }],
    ["", { default: { paths: ["/run/agent"] } }],
    ["default=", { default: { paths: ["/run/agent"] } }],
    ["mine", { mine: { paths: ["/run/agent"] } }],
    ["=/key", { default: { paths: ["/key"] } }],
    ["a=key,../other", { a: { paths: ["/src/key", "/other"] } }],
    ["a=/s=t", { a: { paths: ["/s=t"] } }],
    ["a=/s,raw", { a: { paths: ["/s"], raw: true } }],
    ["a=raw=true,/s", { a: { paths: ["/s"], raw: true } }],
    ["a=/s,raw=false", { a: { paths: ["/s"] } }],
    ["a=./raw", { a: { paths: ["/src/raw"] } }],
  ])("reads %j", (word, expected) => {
    expect(parseSsh([word], place)).toEqual(expected);
  });

  it("refuses an id twice, raw without one path, and the environment's agent where there is none", () => {
    expect(() => parseSsh(["a=/x", "a=/y"], place)).toThrow(/"a" twice/);
    expect(() => parseSsh(["default", "=/x"], place)).toThrow(/"default" twice/);
    for (const word of ["a=raw=true", "a,raw"]) expect(() => parseSsh([word], place)).toThrow(/one socket/);
    expect(() => parseSsh(["a=/x,/y,raw"], place)).toThrow(/one socket/);
    expect(() => parseSsh(["default"], none)).toThrow(/SSH_AUTH_SOCK is not set/);
    expect(parseSsh(["a=/x"], none)).toEqual({ a: { paths: ["/x"] } });
  });
});
