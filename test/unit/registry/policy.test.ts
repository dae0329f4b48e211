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
    ["signed.example/x", ":1", "signed.example: signedBy"],
  ])("says for %s%s: %s", (name, tag, expected) => {
    const verdict = judge(policy, "/p", name, tag);
    expect(verdict && `${verdict.scope}: ${verdict.what}`).toBe(expected);
  });

  it("takes the transport's own default before the policy's", () => {
    const own = JSON.stringify({ default: reject, transports: { docker: { "": accept } } });
    expect(judge(own, "/p", "x.example/y", ":1")).toBeUndefined();
  });

  it.each(["{", "[]", "{}", '{"default": {}}', '{"default": [], "transports": 1}'])("refuses %s", (text) => {
    expect(() => judge(text, "/p", "a/b", ":1")).toThrow(expect.objectContaining({ code: "E_REGISTRY_CONFIG" }));
  });
});
