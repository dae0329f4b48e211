import { describe, expect, it } from "vitest";
import { Holds } from "../../../store/holds.ts";
import { digestOf } from "../../../store/oci/digest.ts";
import { makeTemp } from "../../rig/temp.ts";

const blob = digestOf("one");

describe("Holds", () => {
  it("are claimed by nobody while somebody has them", () => {
    using temp = makeTemp();
    using one = new Holds(temp.path);
    using other = new Holds(temp.path);
    expect(one.others()(blob)).toBe(false);
    expect([one.tryHold(blob), other.tryHold(blob)]).toEqual([true, true]);
    expect([one.others()(blob), one.others()(digestOf("two"))]).toEqual([true, false]);
    expect(one.claimed((claim) => [claim(blob), claim("0123456789ab-1")])).toEqual([false, true]);
    other.keepOnly([]);
    expect(one.claimed((claim) => claim(blob))).toBe(true);
  });

  it("cannot be had while they are claimed, and can after that", async () => {
    using temp = makeTemp();
    using one = new Holds(temp.path);
    using other = new Holds(temp.path);
    expect(one.tryHold(blob)).toBe(true);
    one.claimed((claim) => {
      expect(claim(blob)).toBe(true);
      expect(other.tryHold(blob)).toBe(false);
    });
    await other.hold(blob);
    // What the one held before its claim it holds after it.
    expect(other.claimed((claim) => claim(blob))).toBe(false);
  });

  it("end with their owner, but for those that it keeps", () => {
    using temp = makeTemp();
    using one = new Holds(temp.path);
    {
      using other = new Holds(temp.path);
      for (const name of [blob, "0123456789ab-1", "20260101-000000000-000000"]) other.tryHold(name);
      other.keepOnly(["0123456789ab-1"]);
      const isHeld = one.others();
      expect([isHeld(blob), isHeld("0123456789ab-1"), isHeld("0123456789ab-2")]).toEqual([false, true, false]);
    }
    expect(one.others()("0123456789ab-1")).toBe(false);
  });
});
