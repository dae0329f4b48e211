import { describe, expect, it } from "vitest";
import { SecretMask } from "../../../builder/inputs/secrets/secret-mask.ts";

const secret = 'tok3n/+with "all" & ünïcode';

function masked(text: string, value: string = secret): string {
  const mask = new SecretMask();
  mask.add(Buffer.from(value));
  return mask.text(text);
}

describe("SecretMask of encoded values", () => {
  it.each(["", "u:", "us:", "use:", "user:"])("finds it in base64 behind %j", (before) => {
    for (const after of ["", "x", "xy"]) {
      const encoded = Buffer.from(before + secret + after).toString("base64");
      const shown = masked(`Authorization: Basic ${encoded}`);
      expect(shown).toContain("****");
      // What is left belongs to what stands around it, or to two bytes at each end.
      expect(shown.replace("Authorization: Basic ", "").replace("****", "").length).toBeLessThanOrEqual(16);
      expect(masked(encoded.replaceAll("+", "-").replaceAll("/", "_"))).toContain("****");
    }
  });

  it("finds it in URLs and in JSON", () => {
    expect(masked(`https://host/?token=${encodeURIComponent(secret)}`)).toBe("https://host/?token=****");
    expect(masked(JSON.stringify({ token: secret }))).toBe('{"token":"****"}');
  });

  it("leaves alone what short values would be found in", () => {
    expect(masked(Buffer.from("abcdefg").toString("base64"), "abcdefg")).toBe("YWJjZGVmZw==");
    expect(masked("abc", "abc")).toBe("abc");
  });

  it("takes a value of 500 KiB", () => {
    const lines = Array.from({ length: 7000 }, (_, at) => `${at}`.padStart(70, "k"));
    expect(masked(lines.join("\n"), lines.join("\n"))).toBe("****");
    expect(masked(lines.join(" "), lines.join("\n"))).toBe(lines.map(() => "****").join(" "));
  });
});
