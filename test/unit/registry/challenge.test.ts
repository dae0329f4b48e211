import { describe, expect, it } from "vitest";
import { endpointsOf } from "../../../registry/endpoints.ts";
import { HostConfig } from "../../../registry/hosts/host-config.ts";
import { fetchToken } from "../../../registry/transport/auth.ts";
import { parseChallenges } from "../../../registry/transport/challenge.ts";

describe("parseChallenges()", () => {
  it.each([
    [
      'Bearer realm="https://a/t",service="s", scope="x y"',
      [{ scheme: "bearer", parameters: { realm: "https://a/t", service: "s", scope: "x y" } }],
    ],
    ["basic realm=plain", [{ scheme: "basic", parameters: { realm: "plain" } }]],
    [
      'Basic realm="a, b", Bearer realm = "c\\"d"',
      [
        { scheme: "basic", parameters: { realm: "a, b" } },
        { scheme: "bearer", parameters: { realm: 'c"d' } },
      ],
    ],
    ['Negotiate x="Bearer realm=http://evil"', []],
    ["", []],
    ["realm=x", []],
    ['Bearer realm="open', [{ scheme: "bearer", parameters: {} }]],
  ])("reads %s", (header, expected) => expect(parseChallenges(header)).toEqual(expected));
});

/** The services that were asked, and whether they were told the password. */
async function asked(realm: string, registry: string): Promise<readonly (readonly [string, boolean])[]> {
  const found: (readonly [string, boolean])[] = [];
  await fetchToken(
    { scheme: "bearer", parameters: { realm } },
    {
      origin: registry,
      scope: "repository:a:pull",
      credentials: { kind: "basic", username: "u", password: "p" },
    },
    async (url, { headers }) => {
      found.push([new URL(url).origin, headers["authorization"] !== undefined]);
      return { status: 200, body: '{"token":"t"}' };
    },
  );
  return found;
}

describe("fetchToken()", () => {
  it.each([
    ["http://registry.example/token", "https://registry.example"],
    ["http://169.254.169.254/latest", "http://registry.example"],
    ["https://[fe80::1]/token", "https://registry.example"],
    ["file:///etc/passwd", "http://registry.example"],
    ["https://user:pass@other/token", "https://registry.example"],
    ["constructorhttps://h/t", "https://registry.example"],
    ["no url", "https://registry.example"],
  ])("does not ask %s for a token of %s", async (realm, registry) => expect(await asked(realm, registry)).toEqual([]));

  it("tells the password over TLS and to this machine only", async () => {
    expect(await asked("https://auth.example/t", "https://r")).toEqual([["https://auth.example", true]]);
    expect(await asked("http://127.0.0.1:5/t", "http://127.0.0.1:6")).toEqual([["http://127.0.0.1:5", true]]);
    expect(await asked("http://auth.example/t", "http://r")).toEqual([["http://auth.example", false]]);
  });

  it("takes no token that cannot be a header's value", async () => {
    const challenge = { scheme: "bearer", parameters: { realm: "https://a/t" } } as const;
    const wanted = { origin: "https://r", scope: "", credentials: undefined };
    const answer = async (token: string): Promise<unknown> =>
      await fetchToken(challenge, wanted, async () => ({ status: 200, body: JSON.stringify({ token }) }));
    expect(await answer("a\r\nx-evil: 1")).toEqual({ token: undefined, why: "its token service a gave no token" });
    expect(await answer("good")).toEqual({ token: "good", expiresIn: undefined });
  });
});

describe("endpointsOf()", () => {
  it("knows no host by the names that every object has", () => {
    const options = { mirrors: { "docker.io": ["http://m"] } };
    const reference = { host: "toString", path: "a", tag: "1", digest: undefined };
    const found = endpointsOf(reference, "pull", { options, config: new HostConfig() });
    expect(found.map(({ api }) => api)).toEqual(["https://toString/v2"]);
  });
});
