import { posix } from "node:path";
import type { Instruction } from "../../dockerfile/ast.ts";
import type { StepRule } from "../rule.ts";
import { runCommands } from "../shell/run-commands.ts";
import { npmInstallOf } from "./support/action.ts";
import { firstOf } from "./support/first-of.ts";
import { mountsOf } from "./support/mounts.ts";

const lockFiles: ReadonlySet<string> = new Set([
  "package-lock.json",
  "npm-shrinkwrap.json",
  "package*.json",
  "package-*.json",
  "package*",
]);

/** Where a lock file has been copied, or is mounted. */
export const npmInstall: StepRule<"RUN"> = {
  kind: "step",
  on: ["RUN"],
  name: "tsbuild/NpmInstall",
  description: "npm ci should install what a lock file says",
  examples: () => ({
    bad: "FROM node:24\nCOPY package.json package-lock.json ./\nRUN --mount=type=cache,target=/root/.npm npm install",
    line: 3,
    message: "npm install may take other versions than the lock file has",
    good: "FROM node:24\nCOPY package.json package-lock.json ./\nRUN --mount=type=cache,target=/root/.npm npm ci",
  }),
  check: (step) => {
    const { instruction, steps, index } = step;
    const copied = copiedAt(steps);
    const locked = copied >= 0 && copied < index;
    if (!locked && !mountsOf(step).some(({ source = "" }) => isLockFile(source))) return [];
    return runCommands(step).flatMap((command) => {
      const action = npmInstallOf(command);
      if (action === undefined || action.name.startsWith("c")) return [];
      if (command.args.some((arg) => /^--(?:no-package-lock|package-lock=false|package-lock-only)$/.test(arg)))
        return [];
      const message = `npm ${action.name} may take other versions than the lock file has`;
      const hint = "npm ci takes exactly those, and fails when package.json and the lock file differ";
      return [{ message, location: instruction.location, at: command.locate(action.count), hint }];
    });
  },
};

const copiedAt: (steps: readonly Instruction[]) => number = firstOf(
  (instruction) =>
    instruction.kind === "COPY" &&
    instruction.from === undefined &&
    instruction.sources.some(({ raw }) => isLockFile(raw)),
);

function isLockFile(path: string): boolean {
  return lockFiles.has(posix.basename(path));
}
