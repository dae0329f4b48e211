import { expect, test } from "vitest";
import { proxyUrl } from "../../../registry/transport/proxy.ts";

test.each<readonly [Readonly<Record<string, string>>, string | undefined]>([
  [{}, undefined],
  [{ HTTPS_PROXY: "" }, undefined],
  [{ HTTPS_PROXY: "http://proxy:3128" }, "http://proxy:3128"],
  [{ HTTPS_PROXY: "proxy:3128" }, "http://proxy:3128"],
  [{ HTTPS_PROXY: "127.0.0.1:3128" }, "http://127.0.0.1:3128"],
  [{ HTTPS_PROXY: "http://a", https_proxy: "https://user:word@b" }, "https://user:word@b"],
  [{ HTTP_PROXY: "http://a" }, undefined],
])("proxyUrl() of %o is %s", (env, url) => {
  expect(proxyUrl(env, "HTTPS_PROXY")).toBe(url);
});

test.each(["socks5://user:word@proxy", "http://", "http://a b", "://x"])("proxyUrl() refuses %s, untold", (text) => {
  const failing = (): unknown => proxyUrl({ HTTPS_PROXY: text }, "HTTPS_PROXY");
  expect(failing).toThrow(expect.objectContaining({ code: "E_REGISTRY_CONFIG" }));
  expect(failing).not.toThrow("word");
});
