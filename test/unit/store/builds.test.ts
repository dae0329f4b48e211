import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { BuildRecords } from "../../../store/history/builds.ts";
import { Holds } from "../../../store/holds.ts";
import { StepStates } from "../../../store/history/states.ts";
import { makeTemp } from "../../rig/temp.ts";

/** IDs in the order of the builds: each has its millisecond. */
function addBuilds(
  records: BuildRecords,
  count: number,
  limits: { builds: number; bytes: number },
  log = "",
): readonly string[] {
  return Array.from({ length: count }, (_, at) => {
    const id = `20260101-00000000${at}-00000${at}`;
    if (log !== "") writeFileSync(records.logFile(id, "1.log"), log);
    records.write(id, { at }, limits);
    return id;
  });
}

describe("BuildRecords", () => {
  it("lists the newest first and keeps so many builds", () => {
    using temp = makeTemp();
    using holds = new Holds(temp.path);
    const records = new BuildRecords(temp.path, holds);
    const ids = addBuilds(records, 5, { builds: 3, bytes: 1 << 20 });
    expect(records.list()).toEqual(ids.slice(2).toReversed());
    expect(records.read(ids[4] ?? "")).toEqual({ at: 4 });
    expect(records.read(ids[0] ?? "")).toBeUndefined();
  });

  it("keeps so many bytes of logs, and those of the newest build whatever they are", () => {
    using temp = makeTemp();
    using holds = new Holds(temp.path);
    const records = new BuildRecords(temp.path, holds);
    const ids = addBuilds(records, 5, { builds: 100, bytes: 250 }, "x".repeat(100));
    expect(records.list()).toEqual(ids.slice(2).toReversed());
    addBuilds(records, 1, { builds: 100, bytes: 0 }, "x".repeat(100));
    expect(records.list()).toEqual(ids.slice(4));
  });

  it("reads no name but an ID, and nothing of a damaged record", () => {
    using temp = makeTemp();
    using holds = new Holds(temp.path);
    const records = new BuildRecords(temp.path, holds);
    const [id = ""] = addBuilds(records, 1, { builds: 3, bytes: 0 });
    mkdirSync(join(temp.path, "other"));
    writeFileSync(join(temp.path, "other", "build.json"), "{}");
    expect(records.read("../other")).toBeUndefined();
    writeFileSync(join(records.directory(id), "build.json"), '{"at":');
    expect(records.read(id)).toBeUndefined();
  });

  it("forgets builds by age", () => {
    using temp = makeTemp();
    using holds = new Holds(temp.path);
    const records = new BuildRecords(temp.path, holds);
    addBuilds(records, 2, { builds: 9, bytes: 1000 }, "12345");
    const young = records.newID();
    records.write(young, {});
    expect(records.forget(3_600_000)).toBe(10);
    expect(records.list()).toEqual([young]);
  });
});

describe("StepStates", () => {
  const state = { slot: "s/1", text: "RUN x", key: "k", inputs: () => ({ a: "1" }) };

  it("gives back what was written, and nothing for another project", () => {
    using temp = makeTemp();
    const states = new StepStates(temp.path);
    states.write("p", [state], [state]);
    const read = states.read("p").get("s/1");
    expect([read?.text, read?.key, read?.inputs()]).toEqual(["RUN x", "k", { a: "1" }]);
    expect(states.read("q").size).toBe(0);
  });

  it("keeps the inputs of steps that did not change, and no others", () => {
    using temp = makeTemp();
    const states = new StepStates(temp.path);
    const at = (slot: string, a: string): typeof state => ({ ...state, slot, inputs: () => ({ a }) });
    states.write("p", [at("s/1", "1"), at("s/2", "ä")], [at("s/1", "1"), at("s/2", "ä")]);
    states.write("p", [at("s/1", ""), at("s/2", "")], [at("s/1", "new")]);
    const read = states.read("p");
    expect([read.get("s/1")?.inputs(), read.get("s/2")?.inputs()]).toEqual([{ a: "new" }, { a: "ä" }]);
    states.write("p", [at("s/1", ""), at("s/2", "")], [at("s/2", "newer")]);
    const [project = ""] = readdirSync(join(temp.path, "states"));
    expect(readdirSync(join(temp.path, "states", project))).toHaveLength(3);
    expect(states.read("p").get("s/1")?.inputs()).toEqual({ a: "new" });
  });

  it("knows no step of a damaged file", () => {
    using temp = makeTemp();
    const states = new StepStates(temp.path);
    states.write("p", [{ ...state, key: JSON.parse("7") }], []);
    expect(states.read("p").size).toBe(0);
  });
});
