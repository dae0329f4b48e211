import { parseIgnore } from "../../../builder/base/patterns/ignore.ts";
import { compilePattern } from "../../../builder/base/patterns/match.ts";
import { PathPatterns, type ParentMatches } from "../../../builder/base/patterns/path-patterns.ts";
import { outcome, same } from "../rig/check.ts";
import type { FuzzTarget } from "../rig/target.ts";
import { referenceGlob, referenceIgnore } from "./pattern-references.ts";

const tokens = [
  "*",
  "**",
  "**/",
  "/**",
  "?",
  "[",
  "]",
  "[a-c]",
  "[^a]",
  "[]a]",
  "\\",
  "!",
  "/",
  "a",
  "b",
  "ab",
  ".",
  "..",
  "-",
  "#",
  " ",
  "\n",
  "\0",
  "\0a/b",
];
/** What the references, which try everything, can do in little time. */
const small = 40;

/** Lines of an ignore file, then a path. */
export const ignore: FuzzTarget = {
  name: "ignore",
  sources: ["builder/base/patterns/ignore.ts", "builder/base/patterns/path-patterns.ts"],
  tokens,
  seeds: [
    "*.md\n!a.md\n\0a.md",
    "**/node_modules\n# c\n/dist/\0x/node_modules/y",
    "a[b-d]?\\*\n!**/c\0abx*",
    "**\n!a/**/b\0a/x/b",
  ],
  check(input) {
    const [text = "", written = ""] = input.toString("utf8").split("\0");
    const path = written
      .split("/")
      .filter((name) => name !== "" && name !== "." && name !== "..")
      .slice(0, 40)
      .join("/")
      .slice(0, 400);
    const { value } = outcome(() => parseIgnore(text, ".dockerignore"));
    if (value === undefined || path === "") return;
    const hidden = value.excludes(path);
    same("a second time", value.excludes(path), hidden);
    const names = path.split("/");
    const parents = names.slice(1, 20).map((_, at) => names.slice(0, at + 1).join("/"));
    if (!hidden && parents.some((parent) => value.excludes(parent) && value.canPrune(parent)))
      throw new Error("a directory with something to show was pruned");
    const reference = text.length <= small && path.length <= small ? referenceIgnore(text, path) : undefined;
    if (reference !== undefined) same("as the reference", hidden, reference);
  },
};

/** One pattern, then a path: as COPY --exclude and --parents walk. */
export const trees: FuzzTarget = {
  name: "trees",
  sources: ["builder/base/patterns/path-patterns.ts"],
  tokens,
  seeds: ["a/**/b*\0a/x/bc", "!**\0a", "*/[a-z]?\0x/yz"],
  check(input) {
    const [text = "", written = ""] = input.toString("utf8").split("\0");
    // No path is longer; the time is the product of what path and patterns have.
    const names = written
      .slice(0, 4096)
      .split("/")
      .filter((name) => name !== "")
      .slice(0, 200);
    const { value: patterns } = outcome(() => new PathPatterns(text.split("\n")));
    if (patterns === undefined || names.length === 0) return;
    let below: ParentMatches | undefined;
    const steps = names.map((_, at) => {
      const path = names.slice(0, at + 1).join("/");
      const found = patterns.match(path, below);
      below = found.below;
      return { path, matched: found.matched, mayMatch: patterns.mayMatchBelow(path) };
    });
    const last = steps.at(-1);
    if (
      last?.matched === true &&
      !patterns.hasNegated &&
      steps.slice(0, -1).some((one) => !one.matched && !one.mayMatch)
    )
      throw new Error("a directory with a match below it was not looked into");
  },
};

/** A pattern of Go's filepath.Match, then a name. */
export const globs: FuzzTarget = {
  name: "globs",
  sources: ["builder/base/patterns/match.ts"],
  tokens,
  seeds: ["a*b?[c-d]\0axbyc", "[^a]\\*\0b*", "*.[!]\0"],
  check(input) {
    const [pattern = "", name = ""] = input.toString("utf8").split("\0");
    const { value } = outcome(() => compilePattern(pattern));
    const found = value?.(name.slice(0, 4096));
    const reference = pattern.length <= small && name.length <= small ? referenceGlob(pattern, name) : "unclear";
    if (reference !== "unclear") same("as the reference", found, reference);
  },
};
