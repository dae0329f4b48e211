import { posix } from "node:path";
import type { IgnoreMatcher } from "../../base/patterns/ignore.ts";
import { ruleUrl, type StepRule } from "../rule.ts";

/** An ignore file with `!` lines is not judged: what it shows cannot be told from a name. */
export const copyIgnoredFile: StepRule<"COPY" | "ADD"> = {
  kind: "step",
  on: ["COPY", "ADD"],
  name: "CopyIgnoredFile",
  description: "Attempting to Copy file that is excluded by .dockerignore",
  url: ruleUrl("copy-ignored-file"),
  examples: () => ({
    bad: "FROM scratch\nCOPY ./tmp/helloworld.txt /helloworld.txt",
    line: 2,
    message: 'Attempting to Copy file "tmp/helloworld.txt" that is excluded by .dockerignore',
    good: "FROM scratch\nCOPY ./forever/helloworld.txt /helloworld.txt",
    ignore: "tmp/\n",
  }),
  check: ({ instruction, ignore, expand }) => {
    if (instruction.from !== undefined || ignore === undefined) return [];
    if (ignore.patterns.some((pattern) => pattern.startsWith("!"))) return [];
    const act = instruction.kind === "ADD" ? "Add" : "Copy";
    return instruction.sources.flatMap(({ raw, location: at }) => {
      const source = expand(raw);
      if (source === undefined || isRemote(source)) return [];
      const path = posix.normalize(source).replace(/(.)\/$/, "$1");
      if (!isHidden(ignore, path)) return [];
      const message = `Attempting to ${act} file ${JSON.stringify(path)} that is excluded by .dockerignore`;
      return [{ message, location: instruction.location, at }];
    });
  },
};

/** The top itself is hidden by nothing, but all in it may be. */
function isHidden(ignore: IgnoreMatcher, path: string): boolean {
  const top = path === "." || path === "/";
  return top ? ignore.patterns.some((pattern) => ["*", "**", "**/*"].includes(pattern)) : ignore.hides(path);
}

function isRemote(source: string): boolean {
  return /^(?:https?:\/\/|git@|git:\/\/|ssh:\/\/)/.test(source);
}
