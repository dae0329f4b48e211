import { createHash } from "node:crypto";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { sha256, type Sha256 } from "../../../native/sha256.ts";

const sizes = fc.array(fc.oneof(fc.nat(200), fc.integer({ min: 100_000, max: 300_000 })), { maxLength: 5 });

function pieces(lengths: readonly number[]): readonly Buffer[] {
  return lengths.map((length, at) => Buffer.alloc(length, `piece ${at} `));
}

async function hashed(hash: Sha256, lengths: readonly number[]): Promise<string> {
  await using made = hash;
  for (const piece of pieces(lengths)) await made.update(piece);
  return made.digest();
}

async function isRight(make: () => Sha256): Promise<void> {
  const property = fc.asyncProperty(sizes, async (lengths) => {
    const expected = createHash("sha256")
      .update(Buffer.concat(pieces(lengths)))
      .digest("hex");
    expect(await hashed(make(), lengths)).toBe(expected);
  });
  await fc.assert(property, { numRuns: 30 });
}

describe("sha256()", () => {
  afterEach(() => {
    vi.doUnmock("../../../native/koffi.ts");
    vi.resetModules();
  });

  it("is that of the bytes, in whatever pieces", async () => {
    await isRight(sha256);
  });

  it("is the same where Node has no OpenSSL for addons", async () => {
    vi.resetModules();
    vi.doMock("../../../native/koffi.ts", () => ({
      loadKoffi: () => {
        throw new Error("no such library");
      },
    }));
    const { sha256: fallback } = await import("../../../native/sha256.ts");
    expect(fallback().update(Buffer.alloc(1 << 20))).toBeUndefined();
    await isRight(fallback);
  });

  it("takes one piece at a time, and waits for the one that it works on when it is given up", async () => {
    const hash = sha256();
    const bytes = Buffer.alloc(4 << 20);
    const running = hash.update(bytes);
    expect(running).toBeInstanceOf(Promise);
    expect(() => hash.update(bytes)).toThrow(RangeError);
    expect(() => hash.digest()).toThrow(RangeError);
    let done = false;
    void running?.then(() => (done = true));
    await hash[Symbol.asyncDispose]();
    expect(done).toBe(true);
  });
});
