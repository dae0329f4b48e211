import { statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { lock, tryLock } from "../../../native/lock.ts";
import { isByteLocked, tryLockByte } from "../../../native/range-lock.ts";
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

test("tryLockByte() excludes by the byte, within a process too, and leaves nothing behind", () => {
  using temp = makeTemp();
  const path = join(temp.path, "lock");
  const far = 2 ** 48;
  {
    using one = tryLockByte(path, far);
    expect(one).toBeDefined();
    expect(tryLockByte(path, far)).toBeUndefined();
    expect(tryLockByte(path, far, "shared")).toBeUndefined();
    using other = tryLockByte(path, far - 1);
    expect(other).toBeDefined();
    expect([isByteLocked(path, far), isByteLocked(path, 7)]).toEqual([true, false]);
  }
  expect(isByteLocked(path, far)).toBe(false);
  using one = tryLockByte(path, 0, "shared");
  using two = tryLockByte(path, 0, "shared");
  expect([one, two]).not.toContain(undefined);
  expect(isByteLocked(path, 0)).toBe(true);
  expect(statSync(path).size).toBe(0);
});
