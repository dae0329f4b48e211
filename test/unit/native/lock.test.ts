import { join } from "node:path";
import { expect, test } from "vitest";
import { lock, tryLock } from "../../../native/lock.ts";
import { makeTemp } from "../../rig/temp.ts";

test("tryLock() lets many share and one exclude", () => {
  using temp = makeTemp();
  const path = join(temp.path, "lock");
  {
    using one = tryLock(path, "shared");
    using two = tryLock(path, "shared");
    expect([one, two]).not.toContain(undefined);
    expect(tryLock(path, "exclusive")).toBeUndefined();
  }
  using alone = tryLock(path, "exclusive");
  expect(alone).toBeDefined();
  expect(tryLock(path, "shared")).toBeUndefined();
});

test("lock() waits until the holder lets go", async () => {
  using temp = makeTemp();
  const path = join(temp.path, "lock");
  const first = await lock(path);
  let taken = false;
  const second = lock(path).then((held) => {
    taken = true;
    return held;
  });
  expect(tryLock(path)).toBeUndefined();
  expect(taken).toBe(false);
  first[Symbol.dispose]();
  using held = await second;
  expect(held.fd).toBeGreaterThan(2);
});

test("lock() ends with the reason of its signal", async () => {
  using temp = makeTemp();
  using _held = tryLock(join(temp.path, "lock"));
  const abort = new AbortController();
  const waiting = lock(join(temp.path, "lock"), "shared", abort.signal);
  abort.abort(new Error("enough"));
  await expect(waiting).rejects.toThrow("enough");
});
