import { parseDuration } from "../base/duration.ts";

/** How old a result may be that stands for a step. `milliseconds` 0: none may. `text` as it was written. */
export interface CacheLimit {
  readonly text: string;
  readonly milliseconds: number;
}

/** `12h`, `1h30m`, `7d`, `never`; undefined when it is none of these. */
export function parseCacheLimit(text: string): CacheLimit | undefined {
  if (text === "never") return { text, milliseconds: 0 };
  const days = /^(\d{1,5})d$/.exec(text)?.[1];
  const nanoseconds = days === undefined ? parseDuration(text) : Number(days) * 86_400e9;
  return nanoseconds === undefined || nanoseconds < 0 ? undefined : { text, milliseconds: nanoseconds / 1e6 };
}

/** The text of the last `# cache=...` among the comments above an instruction. */
export function cacheComment(comments: readonly string[]): string | undefined {
  return comments.flatMap((comment) => /^cache=(\S*)$/.exec(comment)?.[1] ?? []).at(-1);
}
