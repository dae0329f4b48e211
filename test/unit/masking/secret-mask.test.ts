import { describe, expect, it } from "vitest";
import { SecretMask } from "../../../builder/inputs/secrets/secret-mask.ts";

function maskOf(...values: readonly string[]): SecretMask {
  const mask = new SecretMask();
  for (const value of values) mask.add(Buffer.from(value));
  return mask;
}

const values = ["s3cret", "s3cret-longer", "line one\r\nline two\n  indented\nab\n", "ünïcode"];

describe("SecretMask", () => {
  it.each([
    ["a s3cret b", "a **** b"],
    ["s3cret-longer", "****"],
    ["s3cret-long", "****-long"],
    ["line two", "****"],
    ["indented s3crets3cret", "**** ********"],
    ["ab s3cre", "ab s3cre"],
    ["ünïcode!", "****!"],
  ])("shows %s as %s, also when it comes byte by byte", (text, expected) => {
    const mask = maskOf(...values);
    expect(mask.text(text)).toBe(expected);
    const stream = mask.stream();
    const parts = [...Buffer.from(text)].map((byte) => stream.push(Buffer.of(byte)));
    expect(Buffer.concat([...parts, stream.end()]).toString()).toBe(expected);
  });

  it("keeps back only what may be the beginning of a secret", () => {
    const stream = maskOf("s3cret").stream();
    expect(stream.push(Buffer.from("prompt> ")).toString()).toBe("prompt> ");
    expect(stream.push(Buffer.from("s s3")).toString()).toBe("s ");
    expect(stream.push(Buffer.from("x")).toString()).toBe("s3x");
  });

  it("leaves bytes that are no text as they are", () => {
    const bytes = Buffer.from([0xff, 0, 0xc3, 0x28]);
    expect(maskOf("s3cret").stream().push(bytes)).toEqual(bytes);
  });

  it("masks a secret of 10000 lines in a megabyte at once", () => {
    const lines = Array.from({ length: 10_000 }, (_, at) => `secret line ${at}`);
    const masked = maskOf(lines.join("\n")).text(`${lines.join(" ")}\n${"x".repeat(1 << 20)}`);
    expect(masked).not.toContain("line");
  });
});
