import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Lease, sweepLeases } from "../../../store/lease.ts";
import { tryLockExisting } from "../../../native/lock.ts";
import { noteOutside } from "../../../store/outside.ts";
import { makeTemp } from "../../rig/temp.ts";

describe("sweepLeases()", () => {
  it("sweeps what dead processes left, in the middle of making or removing it too, and no lease in use", () => {
    using temp = makeTemp();
    const leases = join(temp.path, "leases");
    using held = Lease.take(temp.path);
    const make = (name: string, files: readonly string[]): void => {
      mkdirSync(join(leases, name, "scratch/inner"), { recursive: true });
      for (const file of files) writeFileSync(join(leases, name, file), "");
    };
    make("dead", ["lock", "scratch/file"]);
    make("unfinished", []);
    const swept: string[] = [];
    sweepLeases(temp.path, (dead) => {
      swept.push(...dead);
      return new Set();
    });
    expect(swept.toSorted()).toEqual(["dead", "unfinished"]);
    expect(readdirSync(leases)).toEqual([held.id]);
  });

  it("removes what they had outside of the store, but for what somebody uses", () => {
    using temp = makeTemp();
    const lease = join(temp.path, "leases/dead");
    mkdirSync(join(lease, "scratch"), { recursive: true });
    const groups = ["parent", "parent/group", "used", "full"].map((name) => join(temp.path, name));
    for (const path of groups) mkdirSync(path);
    mkdirSync(join(temp.path, "parent/group/inner"));
    writeFileSync(join(temp.path, "full/file"), "");
    for (const path of [...groups, join(temp.path, "gone")]) noteOutside(join(lease, "outside"), path);
    using _used = tryLockExisting(join(temp.path, "used"));
    sweepLeases(temp.path, () => new Set());
    expect(readdirSync(temp.path).toSorted()).toEqual(["full", "leases", "used"]);
    expect(readdirSync(join(temp.path, "leases"))).toEqual([]);
  });

  it("leaves a lease whose snapshots could not be removed to the next one", () => {
    using temp = makeTemp();
    mkdirSync(join(temp.path, "leases/dead/scratch"), { recursive: true });
    sweepLeases(temp.path, (dead) => dead);
    expect(readdirSync(join(temp.path, "leases"))).toEqual(["dead"]);
    sweepLeases(temp.path, () => new Set());
    expect(readdirSync(join(temp.path, "leases"))).toEqual([]);
  });
});
