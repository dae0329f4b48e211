import { parseDuration } from "../../../base/duration.ts";
import { pointInTime } from "../../flags/filters.ts";
import type { ParsedFlags } from "../../flags/parsed-flags.ts";
import { UsageError } from "../../base/usage-error.ts";

/** What a prune is to remove; every filter limits all of it. */
export interface PrunePlan {
  /** Which images: none, those without a name, or also those with one. */
  readonly images: "none" | "dangling" | "named" | "all";
  /** What of the cache: nothing, what is part of no image, or all. */
  readonly cache: "none" | "dangling" | "all";
  /** Only what was made, or of the cache last used, before then: milliseconds since 1970. */
  readonly until: number | undefined;
  /** Of images. */
  readonly labels: readonly string[];
  readonly notLabels: readonly string[];
}

/** What each command takes. */
const taken: Readonly<Record<string, readonly string[]>> = {
  prune: ["until"],
  "image prune": ["until", "label", "label!", "dangling"],
  "builder prune": ["until"],
  "system prune": ["until", "label", "label!"],
};

/** @throws E_USAGE */
export function prunePlan(command: string, flags: ParsedFlags, now: number): PrunePlan {
  const words = flags.list("filter").map((word) => splitFilter(word, taken[command] ?? []));
  const values = (kind: string): readonly string[] => words.flatMap((word) => (word.kind === kind ? [word.value] : []));
  const shared = {
    until: untilOf(values("until"), flags.string("until"), now),
    labels: values("label"),
    notLabels: values("label!"),
  };
  const all = flags.bool("all");
  switch (command) {
    case "image prune":
      return { ...shared, images: imagesOf(all, values("dangling")), cache: "none" };
    case "builder prune":
      return { ...shared, images: "none", cache: all ? "all" : "dangling" };
    case "system prune": {
      // Steps have no labels: who asks for some is not asking for them.
      const isLabelled = shared.labels.length + shared.notLabels.length > 0;
      return { ...shared, images: all ? "all" : "dangling", cache: isLabelled ? "none" : all ? "all" : "dangling" };
    }
    default:
      return { ...shared, images: "dangling", cache: all || shared.until !== undefined ? "all" : "none" };
  }
}

function splitFilter(word: string, kinds: readonly string[]): { readonly kind: string; readonly value: string } {
  const equals = word.indexOf("=");
  const kind = kinds.find((one) => word.slice(0, Math.max(0, equals)) === one);
  if (kind !== undefined) return { kind, value: word.slice(equals + 1) };
  throw new UsageError(`Cannot filter by ${JSON.stringify(word)}`, {
    hint: kinds.length === 1 ? `--filter ${kinds[0]}=24h` : `filters are ${kinds.map((one) => `${one}=`).join(", ")}`,
  });
}

function untilOf(filters: readonly string[], flag: string | undefined, now: number): number | undefined {
  if (filters.length > 1)
    throw new UsageError("Cannot filter by until twice", { hint: "give the one that is meant: --filter until=24h" });
  const [filter] = filters;
  if (filter !== undefined) return pointInTime(notNegative(filter), now);
  if (flag === undefined) return undefined;
  const nanoseconds = parseDuration(flag);
  if (nanoseconds === undefined || nanoseconds < 0)
    throw new UsageError(`Invalid duration ${JSON.stringify(flag)} of --until`, { hint: "for example --until 24h" });
  return now - nanoseconds / 1e6;
}

/** What is to come would be everything. */
function notNegative(text: string): string {
  if (!text.startsWith("-")) return text;
  throw new UsageError(`Filter until cannot be ${JSON.stringify(text)}`, {
    hint: "a duration or a date: --filter until=24h",
  });
}

function imagesOf(all: boolean, dangling: readonly string[]): PrunePlan["images"] {
  const odd = dangling.find((value) => !/^(?:true|false|1|0)$/.test(value));
  if (odd !== undefined)
    throw new UsageError(`Filter dangling cannot be ${JSON.stringify(odd)}`, { hint: "--filter dangling=true" });
  const wanted = new Set(dangling.map((value) => value === "true" || value === "1"));
  if (wanted.size === 2) throw new UsageError("Filter dangling cannot be true and false", { hint: "leave one out" });
  if (!all && wanted.has(false))
    throw new UsageError("Cannot prune images with a name: --filter dangling=false is for all of them", {
      hint: "tsbuild image prune -a --filter dangling=false",
    });
  return wanted.has(true) || !all ? "dangling" : wanted.has(false) ? "named" : "all";
}

/** What is asked before it is done, in docker's words as far as they are true here. */
export function pruneWarning(command: string, plan: PrunePlan, filters: readonly string[]): string {
  const what = [imageWarnings[plan.images], cacheWarnings[plan.cache]].filter((text) => text !== "");
  const all = command === "prune" ? [...what, "what no image and no remembered step needs"] : what;
  const [only = ""] = all;
  return [
    ...(all.length === 1 ? [`WARNING! This will remove ${only}.`] : ["WARNING! This will remove:", ...all.map(listed)]),
    ...(filters.length === 0 ? [] : ["", "  Items to be pruned will be filtered with:", ...filters.map(listed)]),
    ...(all.length === 1 && filters.length === 0 ? [] : [""]),
    "Are you sure you want to continue?",
  ].join("\n");
}

function listed(text: string): string {
  return `  - ${text}`;
}

const imageWarnings: Readonly<Record<PrunePlan["images"], string>> = {
  none: "",
  dangling: "all dangling images",
  named: "all images with a name that no container uses",
  all: "all images without at least one container associated to them",
};
const cacheWarnings: Readonly<Record<PrunePlan["cache"], string>> = {
  none: "",
  dangling: "all dangling build cache",
  all: "all build cache",
};
