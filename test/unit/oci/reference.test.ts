import { describe, expect, it } from "vitest";
import { familiarName, normalizeReference } from "../../../store/oci/reference.ts";

const digest = `sha256:${"a".repeat(64)}`;

describe("normalizeReference()", () => {
  const rows: readonly (readonly [string, string])[] = [
    ["debian", "docker.io/library/debian:latest"],
    ["debian:12", "docker.io/library/debian:12"],
    ["user/app", "docker.io/user/app:latest"],
    ["localhost:5000/x", "localhost:5000/x:latest"],
    ["localhost/x", "localhost/x:latest"],
    ["ghcr.io/a/b:v1", "ghcr.io/a/b:v1"],
    ["index.docker.io/library/x", "docker.io/library/x:latest"],
    [`debian@${digest}`, `docker.io/library/debian@${digest}`],
    [`debian:12@${digest}`, `docker.io/library/debian:12@${digest}`],
    ["[::1]:5000/x", "[::1]:5000/x:latest"],
  ];
  for (const [text, full] of rows) it(`fills in ${text}`, () => expect(normalizeReference(text)).toBe(full));

  for (const text of [
    "",
    "UPPER",
    "a//b",
    "a:",
    "-a",
    `a@sha256:12`,
    "a".repeat(300),
    `${"a.".repeat(150)}b/c`,
    "f".repeat(64),
  ]) {
    it(`refuses ${JSON.stringify(text.slice(0, 20))}`, () => {
      expect(() => normalizeReference(text)).toThrow(expect.objectContaining({ code: "E_REF_INVALID" }));
    });
  }
});

describe("familiarName()", () => {
  it("leaves out what docker leaves out", () => {
    expect(familiarName("docker.io/library/debian:12")).toBe("debian:12");
    expect(familiarName("docker.io/user/app:1")).toBe("user/app:1");
    expect(familiarName("ghcr.io/a:1")).toBe("ghcr.io/a:1");
  });
});
