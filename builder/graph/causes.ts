/** One reason why a step was not taken from the cache: plain JSON, as it is stored and printed. */
export type MissCause =
  /** Nothing is known of the step: its project was never built here, or its stage is new. */
  | { readonly kind: "first" }
  /** The project was built before, and this instruction was not in it. */
  | { readonly kind: "new" }
  | { readonly kind: "file"; readonly change: "added" | "removed" | "changed"; readonly path: string }
  | { readonly kind: "file"; readonly change: "renamed"; readonly path: string; readonly before: string }
  | {
      readonly kind: "file";
      readonly change: "mode";
      readonly path: string;
      readonly before: string;
      readonly now: string;
    }
  /** Files shown or hidden because the ignore file is another one. */
  | { readonly kind: "ignore"; readonly name: string }
  | {
      readonly kind: "variable";
      readonly type: "ARG" | "ENV";
      readonly name: string;
      readonly before: string | undefined;
      readonly now: string | undefined;
    }
  | { readonly kind: "text"; readonly before: string; readonly now: string }
  | { readonly kind: "image"; readonly name: string; readonly before: string; readonly now: string }
  /** A URL has other content, or a branch or tag leads to another commit; `name` says which. */
  | {
      readonly kind: "source";
      readonly change: "changed" | "moved";
      readonly name: string;
      readonly before: string;
      readonly now: string;
    }
  /** Another property of the step: the user, the directory, a flag. */
  | {
      readonly kind: "input";
      readonly name: string;
      readonly before: string | undefined;
      readonly now: string | undefined;
    }
  | { readonly kind: "earlier"; readonly slot: string; readonly step: string; readonly line: number | undefined }
  | { readonly kind: "expired"; readonly limit: string }
  /** `by`: what says so, `# cache=never`. */
  | { readonly kind: "never"; readonly by?: string }
  | { readonly kind: "no-cache" }
  | { readonly kind: "failed" }
  | { readonly kind: "gone" }
  | { readonly kind: "more"; readonly count: number };

/** Characters that are shown before a difference that is far behind. */
const beforeDifference = 20;

/** The cause in plain words: `package.json changed`, `ARG V 1 -> 2`. */
export function causeText(cause: MissCause): string {
  switch (cause.kind) {
    case "first":
      return "first build of this step";
    case "new":
      return "new instruction";
    case "file":
      return fileText(cause);
    case "ignore":
      return `${cause.name} changed`;
    case "variable":
      return changeText(`${cause.type} ${cause.name}`, cause);
    case "text":
      return `text changed: ${clipBoth(cause.before, cause.now)}`;
    case "image":
      return imageText(cause);
    case "source":
      return `${cause.name} ${cause.change}: ${shortened(cause.before)} -> ${shortened(cause.now)}`;
    case "input":
      return changeText(cause.name, cause);
    case "earlier":
      return `earlier step changed: ${clip(cause.step)}${cause.line === undefined ? "" : ` (line ${cause.line})`}`;
    case "expired":
      return `expired after ${cause.limit}`;
    case "never":
      return `it is never cached (${cause.by ?? "# cache=never"})`;
    case "no-cache":
      return "the cache is off (--no-cache)";
    case "failed":
      return "it did not finish last time";
    case "gone":
      return "its result is no longer in the store";
    case "more":
      return `and ${cause.count} more`;
    default:
      return cause satisfies never;
  }
}

function fileText(cause: Extract<MissCause, { readonly kind: "file" }>): string {
  switch (cause.change) {
    case "added":
      return `${cause.path} is new`;
    case "removed":
      return `${cause.path} is gone`;
    case "changed":
      return `${cause.path} changed`;
    case "renamed":
      return `${cause.before} is now ${cause.path}`;
    case "mode":
      return `mode of ${cause.path} ${cause.before} -> ${cause.now}`;
    default:
      return cause satisfies never;
  }
}

function imageText({ before, now }: Extract<MissCause, { readonly kind: "image" }>): string {
  const [nameBefore = "", digestBefore = ""] = before.split("@");
  const [name = "", digest = ""] = now.split("@");
  if (nameBefore === "") return `it is from the image ${name} now`;
  if (name === "") return `it is no longer from the image ${nameBefore}`;
  if (nameBefore !== name) return `base image ${nameBefore} -> ${name}`;
  return `base image ${name} moved: ${digestBefore.slice(0, 19)} -> ${digest.slice(0, 19)}`;
}

/** The beginning of a digest or commit. */
function shortened(digest: string): string {
  return digest.slice(0, digest.includes(":") ? 19 : 12);
}

function changeText(
  what: string,
  { before, now }: { readonly before: string | undefined; readonly now: string | undefined },
): string {
  if (before === undefined) return `${what} added: ${clip(now ?? "")}`;
  if (now === undefined) return `${what} removed`;
  return `${what} ${clipBoth(before, now)}`;
}

/** `BEFORE -> NOW`; where the beginnings of both are the same, what is told begins a little before the difference. */
function clipBoth(before: string, now: string): string {
  const [from, to] = [clip(before), clip(now)];
  if (from !== to) return `${from} -> ${to}`;
  const [was, is] = [oneLine(before), oneLine(now)];
  if (was === is) return `white space in ${to}`;
  let same = 0;
  while (same < was.length && was[same] === is[same]) same++;
  const skip = Math.max(0, same - beforeDifference);
  return `...${clip(was.slice(skip))} -> ...${clip(is.slice(skip))}`;
}

function clip(text: string): string {
  const line = oneLine(text);
  if (line === "") return '""';
  return line.length > 60 ? `${line.slice(0, 57)}...` : line;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ");
}
