import type { ListedImage } from "../../../store/image/list.ts";
import { parseDuration } from "../../base/duration.ts";
import { closest } from "../base/suggest.ts";
import { UsageError } from "../base/usage-error.ts";

/** Chooses images by `--filter` words and an optional name; words of one kind are alternatives. @throws E_USAGE */
export function filterImages(
  images: readonly ListedImage[],
  words: readonly string[],
  find: (name: string) => ListedImage,
): readonly ListedImage[] {
  const groups = Map.groupBy(words.map(splitWord), ({ kind }) => kind);
  let chosen = images;
  for (const [kind, filters] of groups) {
    const tests = filters.map(({ value }) => testOf(kind, value, find));
    // Every label must be there; of the other kinds one is enough, as with docker.
    chosen = chosen.filter((image) =>
      kind === "label" ? tests.every((test) => test(image)) : tests.some((test) => test(image)),
    );
    if (kind === "reference") chosen = chosen.map((image) => onlyNames(image, filters));
  }
  return chosen;
}

const kinds = ["dangling", "label", "before", "since", "until", "reference"] as const;

interface Filter {
  readonly kind: (typeof kinds)[number];
  readonly value: string;
}

function splitWord(word: string): Filter {
  const equals = word.indexOf("=");
  const name = equals < 0 ? word : word.slice(0, equals);
  const kind = kinds.find((one) => one === name);
  if (kind === undefined || equals < 0) {
    const meant = closest(name, kinds);
    throw new UsageError(`Cannot filter by ${JSON.stringify(word)}`, {
      hint: meant === undefined ? `filters are ${kinds.join(", ")}` : `did you mean --filter ${meant}=...?`,
    });
  }
  return { kind, value: word.slice(equals + 1) };
}

type Test = (image: ListedImage) => boolean;

function testOf(kind: Filter["kind"], value: string, find: (name: string) => ListedImage): Test {
  switch (kind) {
    case "dangling": {
      if (value !== "true" && value !== "false") {
        throw new UsageError(`Filter dangling cannot be ${JSON.stringify(value)}`, { hint: "--filter dangling=true" });
      }
      return (image) => (image.names.length === 0) === (value === "true");
    }
    case "label": {
      const [key = "", ...rest] = value.split("=");
      return (image) => Object.hasOwn(image.labels, key) && (rest.length === 0 || image.labels[key] === rest.join("="));
    }
    case "before": {
      const than = find(value).created ?? "";
      return (image) => (image.created ?? "") < than;
    }
    case "since": {
      const than = find(value).created ?? "";
      return (image) => (image.created ?? "") > than;
    }
    case "until": {
      const than = pointInTime(value, Date.now());
      return (image) => Date.parse(image.created ?? "") < than;
    }
    case "reference":
      return (image) => image.names.some((name) => matchesName(name, value));
  }
}

/** Milliseconds since 1970 of `24h` before now, seconds since 1970, or a date. @throws E_USAGE @see docker image ls --filter until */
export function pointInTime(text: string, now: number): number {
  const nanoseconds = parseDuration(text);
  if (nanoseconds !== undefined && text !== "0") return now - nanoseconds / 1e6;
  const time = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text);
  if (/^\d/.test(text) && !Number.isNaN(time)) return time;
  throw new UsageError(`Filter until cannot be ${JSON.stringify(text)}`, {
    hint: "a duration or a date: --filter until=24h, --filter until=2026-01-31",
  });
}

function onlyNames(image: ListedImage, filters: readonly Filter[]): ListedImage {
  return { ...image, names: image.names.filter((name) => filters.some(({ value }) => matchesName(name, value))) };
}

/** The pattern fits the name with its tag or without; `*` and `?` stay within a part of the path. */
export function matchesName(name: string, pattern: string): boolean {
  const colon = name.indexOf(":", name.lastIndexOf("/") + 1);
  const bare = colon < 0 ? name : name.slice(0, colon);
  const regex = globPattern(pattern);
  return regex.test(name) || regex.test(bare);
}

function globPattern(pattern: string): RegExp {
  const source = pattern.replace(/\*+|\?|\[[^\]]*\]|[\\^$.|+(){}[\]]/g, (part) => {
    if (part.startsWith("*")) return "[^/]*";
    if (part === "?") return "[^/]";
    return part.length > 1 ? part : `\\${part}`;
  });
  try {
    return new RegExp(`^${source}$`);
  } catch (cause) {
    throw new UsageError(`Cannot read the pattern ${JSON.stringify(pattern)}`, { cause, hint: "reference='app*:1.?'" });
  }
}
