import { describe, expect, it } from "vitest";
import { findEntry, helperOf, parseAuthFile } from "../../../registry/credentials/auth-file.ts";
import type { Credentials } from "../../../registry/credentials/credentials.ts";

const auth = (text: string): object => ({ auth: Buffer.from(text).toString("base64") });

function find(auths: object, host: string, path: string): Credentials | undefined {
  const file = parseAuthFile(JSON.stringify({ auths }));
  return file === undefined ? undefined : findEntry(file, host, path);
}

describe("findEntry()", () => {
  it("takes the most specific path first", () => {
    const auths = {
      "r.example/team/app": auth("app:1"),
      "r.example/team": auth("team:1"),
      "r.example": auth("host:1"),
      "r.example:5000": auth("port:1"),
    };
    const user = (host: string, path: string): unknown => find(auths, host, path);
    expect(user("r.example", "team/app")).toMatchObject({ username: "app" });
    expect(user("r.example", "team/app2")).toMatchObject({ username: "team" });
    expect(user("r.example", "other")).toMatchObject({ username: "host" });
    expect(user("r.example:5000", "team/app")).toMatchObject({ username: "port" });
    expect(user("other.example", "team/app")).toBeUndefined();
  });

  it.each([
    ["docker.io", "https://index.docker.io/v1/"],
    ["docker.io", "index.docker.io"],
    ["docker.io", "docker.io"],
    ["r.example:5000", "https://r.example:5000/v1/"],
    ["r.example", "http://r.example"],
    ["r.example", "https://r.example/v2"],
    ["r.example", "r.example/v1"],
    ["r.example:5000", "r.example:5000/v1/"],
    ["r.example", "r.example/v2/"],
  ])("knows %s by the key %s", (host, key) => {
    expect(find({ [key]: auth("me:secret") }, host, "library/x")).toEqual({
      kind: "basic",
      username: "me",
      password: "secret",
    });
  });

  it("takes no other path for the host's own key", () => {
    for (const key of ["r.example/v3", "r.example/v1/team", "other.example/v1"])
      expect(find({ [key]: auth("me:secret") }, "r.example", "library/x")).toBeUndefined();
    const auths = { "r.example/v2": auth("namespace:1"), "r.example": auth("host:1") };
    expect(find(auths, "r.example", "v2/app")).toMatchObject({ username: "namespace" });
    expect(find(auths, "r.example", "app")).toMatchObject({ username: "host" });
  });

  it.each([
    ["an identity token", { identitytoken: "t", ...auth("a:b") }, { kind: "identity", token: "t" }],
    ["a registry token", { registrytoken: "t" }, { kind: "registry", token: "t" }],
    ["the user <token>", auth("<token>:t"), { kind: "identity", token: "t" }],
    ["user and password", { username: "a", password: "b" }, { kind: "basic", username: "a", password: "b" }],
    ["a password with a colon", auth("a:b:c"), { kind: "basic", username: "a", password: "b:c" }],
    ["nothing, of a helper", {}, undefined],
    ["no base64", { auth: "?" }, undefined],
  ])("reads %s", (_, entry, expected) => {
    expect(find({ "r.example": entry }, "r.example", "x")).toEqual(expected);
  });

  it("does not take a key for a prototype", () => {
    expect(find({}, "__proto__", "x")).toBeUndefined();
    expect(find({}, "constructor", "x")).toBeUndefined();
  });
});

describe("parseAuthFile()", () => {
  it("reads a .dockercfg, whose entries are the file", () => {
    const text = JSON.stringify({ "r.example": auth("me:1") });
    const legacy = parseAuthFile(text, true);
    expect(legacy && findEntry(legacy, "r.example", "x")).toMatchObject({ username: "me" });
    const modern = parseAuthFile(text);
    expect(modern && findEntry(modern, "r.example", "x")).toBeUndefined();
  });

  it("takes an empty file for one without entries, and what is no object for damaged", () => {
    expect(parseAuthFile("")).toEqual({ auths: {}, credHelpers: {}, credsStore: undefined });
    for (const text of ["[]", "{", "1", "null"]) expect(parseAuthFile(text)).toBeUndefined();
  });
});

describe("helperOf()", () => {
  const file = parseAuthFile(
    JSON.stringify({ credsStore: "store", credHelpers: { "r.example": "own", "https://index.docker.io/v1/": "hub" } }),
  );
  it.each([
    ["r.example", "docker-credential-own"],
    ["docker.io", "docker-credential-hub"],
    ["other.example", "docker-credential-store"],
  ])("of %s is %s", (host, program) => {
    expect(file && helperOf(file, host)?.program).toBe(program);
  });
});
