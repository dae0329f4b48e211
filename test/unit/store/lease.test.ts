import { mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Lease, sweepLeases } from "../../../store/lease.ts";
import { makeTemp } from "../../rig/temp.ts";

describe("sweepLeases()", () => {
  it("sweeps what dead processes left, and neither a lease in use nor one that is just being made or removed", () => {
    using temp = makeTemp();
    const leases = join(temp.path, "leases");
    using held = Lease.take(temp.path);
    const make = (name: string, files: readonly string[]): void => {
      mkdirSync(join(leases, name, "scratch/inner"), { recursive: true });
      for (const file of files) writeFileSync(join(leases, name, file), "");
    };
    make("dead", ["lock", "scratch/file"]);
    make("unfinished", []);
    make("forgotten", ["scratch/file"]);
    utimesSync(join(leases, "forgotten"), 1, 1);
    const swept: string[] = [];
    sweepLeases(temp.path, (dead) => {
      swept.push(...dead);
      return new Set();
    });
    expect(swept.toSorted()).toEqual(["dead", "forgotten"]);
    expect(readdirSync(leases).toSorted()).toEqual([held.id, "unfinished"].toSorted());
    expect(readdirSync(join(leases, "unfinished"))).toEqual(["scratch"]);
  });
});
