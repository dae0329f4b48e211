import { describe, expect, it } from "vitest";
import { judge } from "../../../registry/hosts/policy.ts";

const accept = [{ type: "insecureAcceptAnything" }];
const reject = [{ type: "reject" }];

describe("judge()", () => {
  const policy = JSON.stringify({
    default: reject,
    transports: {
      docker: {
        "docker.io/library": accept,
        "docker.io/library/evil": reject,
        "docker.io/library/evil:good": accept,
        "*.corp.example": accept,
        "signed.example": [{ type: "insecureAcceptAnything" }, { type: "signedBy", keyPath: "/k" }],
      },
      dir: { "": accept },
    },
  });
  it.each([
    ["docker.io/library/debian", ":12", undefined],
    ["docker.io/library/evil", ":1", "docker.io/library/evil: reject"],
    ["docker.io/library/evil", ":good", undefined],
    ["docker.io/other/x", ":1", "default: reject"],
    ["a.b.corp.example:5000/x", ":1", undefined],
    ["corp.example/x", ":1", "default: reject"],
    ["docker.io/librarian", ":1", "default: reject"],
    ["signed.example/x", ":1", "signed.example: signedBy"],
  ])("says for %s%s: %s", (name, tag, expected) => {
    const verdict = judge(policy, "/p", name, tag);
    expect(verdict && `${verdict.scope}: ${verdict.what}`).toBe(expected);
  });

  it("takes the transport's own default before the policy's", () => {
    const own = JSON.stringify({ default: reject, transports: { docker: { "": accept } } });
    expect(judge(own, "/p", "x.example/y", ":1")).toBeUndefined();
  });

  it("takes the longest scope that holds, a wildcard only where no path does", () => {
    const scopes = { "*.example": reject, "*.corp.example": accept, "a.corp.example:5000/team": reject, "": reject };
    const text = JSON.stringify({ default: reject, transports: { docker: scopes } });
    const scope = (name: string): unknown => judge(text, "/p", name, ":1")?.scope;
    expect(scope("a.corp.example/x")).toBeUndefined();
    expect(scope("a.corp.example:5000/team/app")).toBe("a.corp.example:5000/team");
    expect(scope("a.corp.example:5000/teams")).toBeUndefined();
    expect(scope("a.example/x")).toBe("*.example");
    expect(scope("example/x")).toBe("docker");
  });

  it.each(["{", "[]", "{}", '{"default": {}}', '{"default": [], "transports": 1}'])("refuses %s", (text) => {
    expect(() => judge(text, "/p", "a/b", ":1")).toThrow(expect.objectContaining({ code: "E_REGISTRY_CONFIG" }));
  });
});
