import { describe, expect, it } from "vitest";
import { endpointsOf } from "../../../registry/hosts/endpoints.ts";
import { HostConfig } from "../../../registry/hosts/host-config.ts";
import { fetchToken } from "../../../registry/transport/token.ts";
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

type TokenAnswer = Awaited<ReturnType<Parameters<typeof fetchToken>[2]>>;

function tokenAnswer(body: string, status = 200, headers: Readonly<Record<string, string>> = {}): TokenAnswer {
  const header = (name: string): string | undefined => headers[name];
  return { status, header, nearness: "far", text: async () => body, discard: async () => {} };
}

/** The services that were asked, and whether they were told the password. */
async function asked(
  realm: string,
  registry: string,
  nearness: "far" | "loopback" | "link" = "far",
): Promise<readonly (readonly [string, boolean])[]> {
  const found: (readonly [string, boolean])[] = [];
  await fetchToken(
    { scheme: "bearer", parameters: { realm } },
    {
      origin: registry,
      nearness,
      scope: "repository:a:pull",
      credentials: { kind: "basic", username: "u", password: "p" },
    },
    async ({ url }, { headers }) => {
      found.push([new URL(url).origin, headers["authorization"] !== undefined]);
      return tokenAnswer('{"token":"t"}');
    },
  );
  return found;
}

describe("fetchToken()", () => {
  it.each([
    ["http://registry.example/token", "https://registry.example"],
    ["http://169.254.169.254/latest", "http://registry.example"],
    ["https://[fe80::1]/token", "https://registry.example"],
    ["https://localhost/token", "https://registry.example"],
    ["https://[::ffff:127.0.0.1]/token", "https://registry.example"],
    ["https://100.100.100.200/token", "https://registry.example"],
    ["https://[fd00:ec2::254]/token", "https://registry.example"],
    ["file:///etc/passwd", "http://registry.example"],
    ["https://user:pass@other/token", "https://registry.example"],
    ["constructorhttps://h/t", "https://registry.example"],
    ["no url", "https://registry.example"],
  ])("does not ask %s for a token of %s", async (realm, registry) => expect(await asked(realm, registry)).toEqual([]));

  it("tells the password over TLS and to this machine only", async () => {
    expect(await asked("https://auth.example/t", "https://r")).toEqual([["https://auth.example", true]]);
    expect(await asked("http://127.0.0.1:5/t", "http://127.0.0.1:6", "loopback")).toEqual([
      ["http://127.0.0.1:5", true],
    ]);
    expect(await asked("http://127.0.0.1:5/t", "http://r")).toEqual([]);
    expect(await asked("http://169.254.1.2/t", "http://169.254.1.2", "link")).toEqual([["http://169.254.1.2", true]]);
    expect(await asked("http://169.254.1.3/t", "http://169.254.1.2", "link")).toEqual([]);
    expect(await asked("http://auth.example/t", "http://r")).toEqual([["http://auth.example", false]]);
  });

  it("is led on within the service's own origin, and nowhere else", async () => {
    const credentials = { kind: "basic", username: "u", password: "p" } as const;
    const led = async (location: string): Promise<readonly string[]> => {
      const found: string[] = [];
      const challenge = { scheme: "bearer", parameters: { realm: "https://a/t" } } as const;
      const wanted = { origin: "https://r", nearness: "far", scope: "", credentials } as const;
      const result = await fetchToken(challenge, wanted, async ({ url }, { headers }) => {
        found.push(`${url} ${headers["authorization"] === undefined ? "unknown" : "known"}`);
        return found.length > 1 ? tokenAnswer('{"token":"t"}') : tokenAnswer("", 307, { location });
      });
      return [...found, result.token ?? result.why ?? ""];
    };
    expect(await led("/t2")).toEqual(["https://a/t known", "https://a/t2 known", "t"]);
    for (const elsewhere of ["https://b/t", "https://a:444/t"])
      expect(await led(elsewhere)).toEqual(["https://a/t known", "its token service a answered 307"]);
  });

  it("tells a service that has no answer now from one that refuses", async () => {
    const challenge = { scheme: "bearer", parameters: { realm: "https://a/t" } } as const;
    const wanted = { origin: "https://r", nearness: "far", scope: "", credentials: undefined } as const;
    const answered = async (status: number): Promise<unknown> =>
      await fetchToken(challenge, wanted, async () => tokenAnswer("", status)).catch((error: unknown) => error);
    expect(await answered(401)).toEqual({ token: undefined, why: undefined });
    expect(await answered(400)).toEqual({ token: undefined, why: "its token service a answered 400" });
    expect(await answered(503)).toMatchObject({ code: "E_REGISTRY_STATUS" });
    expect(await answered(429)).toMatchObject({ code: "E_REGISTRY_RATE" });
  });

  it("takes no token that cannot be a header's value", async () => {
    const challenge = { scheme: "bearer", parameters: { realm: "https://a/t" } } as const;
    const wanted = { origin: "https://r", nearness: "far", scope: "", credentials: undefined } as const;
    const answer = async (token: string): Promise<unknown> =>
      await fetchToken(challenge, wanted, async () => tokenAnswer(JSON.stringify({ token })));
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
