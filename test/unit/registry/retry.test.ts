import { describe, expect, it } from "vitest";
import { Retries, WaitBudget } from "../../../registry/http/retry.ts";

/** All that is waited for a request that is answered so each time. */
function waits(budget: WaitBudget, status?: number, retryAfter?: string): readonly number[] {
  const retries = new Retries(budget);
  const found: number[] = [];
  for (let delay = retries.next(status, retryAfter); delay !== undefined; delay = retries.next(status, retryAfter))
    found.push(delay);
  return found;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

describe("Retries", () => {
  it("are four at most, each after a longer time", () => {
    const found = waits(new WaitBudget(), 503);
    expect(found.map((delay, at) => delay >= 125 * 2 ** at && delay <= 375 * 2 ** at)).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(waits(new WaitBudget())).toHaveLength(4);
  });

  it.each([200, 301, 400, 401, 403, 404, 501, 505])("are none after %d", (status) =>
    expect(waits(new WaitBudget(), status)).toEqual([]),
  );

  it.each([
    ["0", 4],
    ["1", 4],
    ["14", 2],
    ["30", 1],
    ["31", 0],
    ["9".repeat(400), 0],
    ["-1", 4],
    ["soon", 4],
    ["Wed, 21 Oct 2015 07:28:00 GMT", 4],
    ["Fri, 31 Dec 9999 23:59:59 GMT", 0],
  ])("after Retry-After %s are %d", (retryAfter, count) =>
    expect(waits(new WaitBudget(), 429, retryAfter)).toHaveLength(count),
  );

  it("take a date without a zone for UTC, wherever the machine is", () => {
    const [day = "", date = "", month = "", year = "", clock = ""] = new Date(Date.now() - 3_600_000)
      .toUTCString()
      .split(/,? /);
    const before = process.env["TZ"];
    try {
      process.env["TZ"] = "Pacific/Honolulu";
      const past = `${day} ${month} ${date} ${clock} ${year}`;
      expect(waits(new WaitBudget(), 429, past)).toHaveLength(4);
    } finally {
      if (before === undefined) delete process.env["TZ"];
      else process.env["TZ"] = before;
    }
  });

  it("end when the tries themselves took the time that there is", () => {
    const retries = new Retries(new WaitBudget(30_000));
    expect(retries.next(undefined, undefined, 15_000)).toBeGreaterThan(0);
    expect(retries.next(undefined, undefined, 31_000)).toBeUndefined();
  });

  it("to one host wait ten times as long as those of one at most", () => {
    const budget = new WaitBudget(1000);
    const all = Array.from({ length: 1000 }, () => waits(budget, 429, "1"));
    expect(all.flat().length).toBe(10);
    expect(sum(all.flat())).toBe(10_000);
    expect(sum(waits(new WaitBudget(1000), 503))).toBeLessThanOrEqual(1000);
  });
});
