import {
  causeText,
  why,
  type BuildRecord,
  type ExplainedBuild,
  type MissCause,
  type StepRecord,
} from "../../../index.ts";
import type { Invocation } from "../../flags/command.ts";
import { familiarName } from "../../format/names.ts";
import { formatOne } from "../../format/output.ts";
import { hostNetworkMessage } from "../../../graph/network-warning.ts";
import { timeAgo } from "../../format/time.ts";
import { storeRoot } from "../../flags/engine-options.ts";
import { printable } from "../../base/text.ts";

/** `tsbuild why`: the causes first, the steps that only followed folded below them. */
export async function execute({ flags, operands, out, config }: Invocation): Promise<number> {
  const [build] = operands;
  const directory = config.cwd;
  const explained = await why({ root: storeRoot(flags, config), directory, ...(build === undefined ? {} : { build }) });
  const format = flags.string("format");
  if (format !== undefined && format !== "table") out.result(formatOne(format, report(explained)));
  else out.result(text(explained, Date.now()));
  return 0;
}

function text({ build: record, misses }: ExplainedBuild, now: number): string {
  const ran = record.steps.filter(({ causes }) => causes.length > 0);
  const total = record.steps.filter(({ outcome, causes }) => causes.length > 0 || outcome === "cached").length;
  const name = record.tags[0] === undefined ? record.context : familiarName(record.tags[0]);
  const ended = record.outcome === "done" ? "built" : record.outcome;
  const network = networkText(record);
  const head = `${printable(name)} ${ended} ${timeAgo(record.started, now).toLowerCase()} in ${(record.milliseconds / 1000).toFixed(1)}s`;
  if (ran.length === 0) return `${head}: every step came from the cache\n${network}`;
  if (ran.every(({ causes }) => causes.every(({ kind }) => kind === "first")))
    return `${head}: the first build, ${ran.length === 1 ? "its step" : `all ${ran.length} steps`} ran\n${network}`;
  const body = misses.map(rootText).join("");
  return `${head}: ${ran.length} of ${total} steps ran\n\n${body}${network}`;
}

/** Which network was not the one that steps usually have. */
function networkText({ steps }: BuildRecord): string {
  const reason = steps.find(({ network }) => network?.reason !== undefined)?.network?.reason;
  return reason === undefined ? "" : `${printable(hostNetworkMessage("RUN had", reason))}\n`;
}

function rootText({ root, followers }: ExplainedBuild["misses"][number]): string {
  const causes = root.causes.map((cause) => `    ${printable(causeText(cause))}\n`).join("");
  const after = followers.map((step) => shown(step)).join("\n          ");
  return `  ${shown(root)}\n${causes}${after === "" ? "" : `    then: ${after}\n`}\n`;
}

function shown({ name, line, outcome }: StepRecord): string {
  const step = printable(name.replace(/^\[[^\]]*\] /, ""));
  const clipped = step.length > 72 ? `${step.slice(0, 71)}…` : step;
  const how = outcome === "ran" ? "" : `, ${outcome}`;
  return `${clipped}${line === undefined ? "" : `   (line ${line}${how})`}`;
}

/** The record as --format sees it. `Because` of a step that only followed is the slot of the one that made it run. */
function report({ build: record, misses }: ExplainedBuild): object {
  const because = new Map(
    misses.flatMap(({ root, followers }) => followers.map((step) => [step.slot, root.slot] as const)),
  );
  return {
    ID: record.id,
    Started: new Date(record.started).toISOString(),
    Milliseconds: record.milliseconds,
    Context: record.context,
    Dockerfile: record.dockerfile,
    Names: record.tags,
    Target: record.target ?? "",
    Outcome: record.outcome,
    Error: record.error?.message ?? "",
    ImageID: record.imageID ?? "",
    Steps: record.steps.map((step) => ({
      Slot: step.slot,
      Name: step.name,
      Line: step.line ?? 0,
      Key: step.key ?? "",
      Outcome: step.outcome,
      Milliseconds: step.milliseconds,
      Network: step.network?.mode ?? "",
      NetworkReason: step.network?.reason ?? "",
      Root: step.causes.length > 0 && !because.has(step.slot),
      Because: because.get(step.slot) ?? "",
      Causes: step.causes.map(causeReport),
    })),
  };
}

function causeReport(cause: MissCause): object {
  const fields = Object.entries(cause).map(([name, value]) => [name.charAt(0).toUpperCase() + name.slice(1), value]);
  return { Text: causeText(cause), ...Object.fromEntries(fields) };
}
