import { describe, expect, it } from "vitest";
import { parseHostsToml } from "../../../registry/hosts/hosts-toml.ts";

const read = (text: string): ReturnType<typeof parseHostsToml> => parseHostsToml(text, "/c/hosts.toml", "/c");

describe("parseHostsToml()", () => {
  it("reads hosts in the order of the file, and the server", () => {
    const { hosts, server } = read(`
      server = "registry.example"
      skip_verify = true
      [host."https://z.example/path"]
      capabilities = ["pull", "Resolve"]
      ca = "z.crt"
      client = [["z.cert", "/keys/z.key"], "both.pem"]
      [host."https://z.example/path".header]
      x-one = "1"
      X-Two = ["a", "b"]
      [host."http://a.example:5000/v2/own"]
      override_path = true
      ca = ["one.crt", "/two.crt"]
      client = "both.pem"
    `);
    expect(hosts).toEqual([
      {
        origin: "https://z.example",
        root: "/path/v2",
        capabilities: ["pull", "resolve"],
        ca: ["/c/z.crt"],
        clients: [
          { cert: "/c/z.cert", key: "/keys/z.key" },
          { cert: "/c/both.pem", key: "/c/both.pem" },
        ],
        skipVerify: false,
        headers: { "x-one": "1", "x-two": "a, b" },
      },
      {
        origin: "http://a.example:5000",
        root: "/v2/own",
        capabilities: undefined,
        ca: ["/c/one.crt", "/two.crt"],
        clients: [{ cert: "/c/both.pem", key: "/c/both.pem" }],
        skipVerify: false,
        headers: {},
      },
    ]);
    expect(server).toMatchObject({ origin: "https://registry.example", root: "/v2", skipVerify: true });
    expect(read("")).toEqual({ hosts: [], server: undefined });
  });

  it.each([
    ["a capability that is none", '[host."https://a"]\ncapabilities = ["delete"]\n', /pull, resolve or push/],
    ["a pair of one", '[host."https://a"]\nclient = [["a.cert"]]\n', /no pair/],
    ["a number for a CA", '[host."https://a"]\nca = 1\n', /neither a file nor/],
    ["a header with a line end", String.raw`[host."https://a"]` + '\nheader = { x = "a\\nb" }\n', /header/],
    ["a server that is no URL", 'server = "https://"\n', /no URL/],
  ])("refuses %s", (_, text, message) => {
    expect(() => read(text)).toThrow(message);
    expect(() => read(text)).toThrow(expect.objectContaining({ code: "E_REGISTRY_CONFIG" }));
  });
});
