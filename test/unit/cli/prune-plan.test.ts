import { describe, expect, it } from "vitest";
import { table } from "../../../builder/cli/commands/table.ts";
import { parseLine } from "../../../builder/cli/flags/parse.ts";
import { prunePlan, pruneWarning, type PrunePlan } from "../../../builder/cli/commands/prune/plan.ts";

const now = Date.parse("2026-03-01T12:00:00Z");
const hour = 3_600_000;

function plan(command: string, line: string): PrunePlan {
  const words = line === "" ? [] : line.split(" ");
  return prunePlan(command, parseLine(table.named(command), words).flags, now);
}

describe("prunePlan()", () => {
  it.each([
    ["prune", "", "dangling", "none"],
    ["prune", "-a", "dangling", "all"],
    ["prune", "--until 24h", "dangling", "all"],
    ["image prune", "-f", "dangling", "none"],
    ["image prune", "-a", "all", "none"],
    ["image prune", "-a --filter dangling=true", "dangling", "none"],
    ["image prune", "-a --filter dangling=false", "named", "none"],
    ["image prune", "--filter dangling=1", "dangling", "none"],
    ["builder prune", "", "none", "dangling"],
    ["builder prune", "-a", "none", "all"],
    ["system prune", "", "dangling", "dangling"],
    ["system prune", "-af", "all", "all"],
    ["system prune", "-a --filter label=x", "all", "none"],
  ])("of %s %s", (command, line, images, cache) => {
    expect(plan(command, line)).toMatchObject({ images, cache });
  });

  it.each([
    ["24h", now - 24 * hour],
    ["1h30m", now - 1.5 * hour],
    ["0s", now],
    ["2026-01-31", Date.parse("2026-01-31T00:00:00Z")],
    ["2026-01-31T10:00:00+02:00", Date.parse("2026-01-31T08:00:00Z")],
    ["1767225600", 1_767_225_600_000],
    ["1767225600.5", 1_767_225_600_500],
  ])("limits every flag by until=%s", (text, until) => {
    for (const command of ["prune", "image prune", "builder prune", "system prune"])
      expect(plan(command, `-a --filter until=${text}`).until).toBe(until);
  });

  it("takes labels that must be there and that must not", () => {
    const { labels, notLabels } = plan(
      "image prune",
      "-a --filter label=a=b=c --filter label!=keep --filter label!=k=v",
    );
    expect([labels, notLabels]).toEqual([["a=b=c"], ["keep", "k=v"]]);
  });

  it.each([
    ["prune", "--filter label=a", "Cannot filter by"],
    ["builder prune", "--filter dangling=true", "Cannot filter by"],
    ["image prune", "--filter until", "Cannot filter by"],
    ["image prune", "--filter dangling=maybe", "Filter dangling cannot be"],
    ["image prune", "--filter dangling=false", "Cannot prune images with a name"],
    ["image prune", "-a --filter dangling=false --filter dangling=true", "cannot be true and false"],
    ["image prune", "--filter until=1h --filter until=2h", "twice"],
    ["system prune", "--filter until=yesterday", "Filter until cannot be"],
    ["system prune", "--filter until=-1h", "Filter until cannot be"],
    ["prune", "--until -1h", "Invalid duration"],
  ])("refuses %s %s", (command, line, message) => {
    expect(() => plan(command, line)).toThrow(message);
  });
});

describe("pruneWarning()", () => {
  it.each([
    ["image prune", "", "WARNING! This will remove all dangling images.\nAre you sure you want to continue?"],
    [
      "image prune",
      "-a",
      "WARNING! This will remove all images without at least one container associated to them.\nAre you sure you want to continue?",
    ],
    [
      "system prune",
      "-a",
      "WARNING! This will remove:\n  - all images without at least one container associated to them\n  - all build cache\n\nAre you sure you want to continue?",
    ],
    [
      "prune",
      "",
      "WARNING! This will remove:\n  - all dangling images\n  - what no image and no remembered step needs\n\nAre you sure you want to continue?",
    ],
  ])("of %s %s", (command, line, text) => {
    expect(pruneWarning(command, plan(command, line), [])).toBe(text);
  });

  it("names the filters", () => {
    expect(pruneWarning("image prune", plan("image prune", "-a"), ["until=24h"])).toContain(
      "associated to them.\n\n  Items to be pruned will be filtered with:\n  - until=24h\n\nAre you sure",
    );
  });
});
