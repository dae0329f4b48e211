import { describe, expect, it } from "vitest";
import { Proxies } from "../../../registry/http/proxy.ts";

type Environment = Readonly<Record<string, string>>;

/** `URL VARIABLE` of the proxy that a URL is asked through. */
function way(env: Environment, url: string): string | undefined {
  const proxy = new Proxies(env).for(new URL(url));
  return proxy && `${proxy.url} ${proxy.variable}`;
}

describe("Proxies", () => {
  it.each<readonly [Environment, string, string | undefined]>([
    [{}, "https://r.example/", undefined],
    [{ HTTPS_PROXY: "" }, "https://r.example/", undefined],
    [{ HTTPS_PROXY: "http://p:3128" }, "https://r.example/", "http://p:3128 HTTPS_PROXY"],
    [{ HTTPS_PROXY: "p:3128" }, "https://r.example/", "http://p:3128 HTTPS_PROXY"],
    [{ HTTPS_PROXY: "127.0.0.1:3128" }, "https://r.example/", "http://127.0.0.1:3128 HTTPS_PROXY"],
    [{ https_proxy: "https://user:word@b" }, "https://r.example/", "https://user:word@b https_proxy"],
    // In capitals first, and an empty one is none.
    [{ HTTPS_PROXY: "http://a", https_proxy: "http://b" }, "https://r.example/", "http://a HTTPS_PROXY"],
    [{ HTTPS_PROXY: "", https_proxy: "http://b" }, "https://r.example/", "http://b https_proxy"],
    // Each for its own scheme.
    [{ HTTP_PROXY: "http://a" }, "https://r.example/", undefined],
    [{ HTTPS_PROXY: "http://a" }, "http://r.example/", undefined],
    [{ http_proxy: "http://a" }, "http://r.example/", "http://a http_proxy"],
    [{ ALL_PROXY: "http://a" }, "http://r.example/", undefined],
    // Never for this machine.
    [{ HTTP_PROXY: "http://a" }, "http://localhost:5000/", undefined],
    [{ HTTP_PROXY: "http://a" }, "http://127.0.0.1:5000/", undefined],
    [{ HTTP_PROXY: "http://a" }, "http://127.9.9.9/", undefined],
    [{ HTTP_PROXY: "http://a" }, "http://[::1]:5000/", undefined],
    [{ HTTP_PROXY: "http://a" }, "http://[::ffff:127.0.0.1]/", undefined],
    [{ HTTP_PROXY: "http://a" }, "http://0.0.0.0/", "http://a HTTP_PROXY"],
    [{ HTTP_PROXY: "http://a" }, "http://localhost.example/", "http://a HTTP_PROXY"],
  ])("of %o for %s: %s", (env, url, expected) => expect(way(env, url)).toBe(expected));

  it.each([
    ["*", "http://r.example/", true],
    ["none.invalid, *", "http://r.example/", true],
    ["*:80", "http://r.example/", false],
    ["r.example", "http://r.example/", true],
    ["r.example", "http://a.r.example/", true],
    ["r.example", "http://ar.example/", false],
    [".r.example", "http://a.r.example/", true],
    [".r.example", "http://r.example/", false],
    ["*.r.example", "http://a.r.example/", true],
    ["*.r.example", "http://r.example/", false],
    ["R.Example", "http://r.EXAMPLE/", true],
    ["r.example:5000", "http://r.example:5000/", true],
    ["r.example:5000", "http://r.example/", false],
    ["r.example:80", "http://r.example/", true],
    ["10.1.2.3", "http://10.1.2.3/", true],
    ["10.1.2.3:5000", "http://10.1.2.3/", false],
    ["10.1.2.3:5000", "http://10.1.2.3:5000/", true],
    ["10.0.0.0/8", "http://10.1.2.3:5000/", true],
    ["10.0.0.0/8", "http://11.1.2.3/", false],
    ["10.0.0.0/99", "http://10.1.2.3/", false],
    ["fd00::/8", "http://[fd12::1]/", true],
    ["fd12:0::1", "http://[fd12::1]/", true],
    ["[fd12::1]:5000", "http://[fd12::1]:5000/", true],
    ["[fd12::1]:5000", "http://[fd12::1]/", false],
    ["::ffff:10.1.2.3", "http://[::ffff:10.1.2.3]/", true],
    [",, ", "http://r.example/", false],
    [":80", "http://r.example/", false],
    // Go splits at commas alone.
    ["a.example r.example", "http://r.example/", false],
  ])("NO_PROXY=%s leaves out %s: %s", (exceptions, url, expected) => {
    for (const name of ["NO_PROXY", "no_proxy"])
      expect(way({ HTTP_PROXY: "http://a", [name]: exceptions }, url) === undefined).toBe(expected);
  });

  it.each(["socks5://user:word@proxy", "http://", "http://a b", "://x", "http://user:100%word@proxy"])(
    "refuse %s, untold",
    (text) => {
      const failing = (): unknown => way({ HTTPS_PROXY: text }, "https://r.example/");
      expect(failing).toThrow(expect.objectContaining({ code: "E_REGISTRY_CONFIG" }));
      expect(failing).not.toThrow("word");
    },
  );

  it("refuse HTTP_PROXY where a CGI program's client gives it", () => {
    const env = { HTTP_PROXY: "http://a", HTTPS_PROXY: "http://a", REQUEST_METHOD: "GET" };
    expect(() => way(env, "http://r.example/")).toThrow(expect.objectContaining({ code: "E_REGISTRY_CONFIG" }));
    expect(way(env, "http://localhost/")).toBeUndefined();
    expect(way(env, "https://r.example/")).toBe("http://a HTTPS_PROXY");
  });

  it("tell of the variable that was used, without its password", () => {
    const note = (env: Environment, url: string): unknown => new Proxies(env).note(new URL(url));
    expect(note({ https_proxy: "http://u:word@p:1" }, "https://r.example/")).toBe("by the proxy p:1 (https_proxy)");
    expect(note({ HTTP_PROXY: "p:1", NO_PROXY: "r.example" }, "http://r.example/")).toBe(
      "without the proxy of HTTP_PROXY, by NO_PROXY",
    );
    expect(note({ HTTPS_PROXY: "p:1" }, "http://r.example/")).toBeUndefined();
    expect(note({ HTTP_PROXY: "p:1" }, "http://localhost/")).toBeUndefined();
  });
});
