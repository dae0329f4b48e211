import type { Instruction } from "../../dockerfile/ast.ts";
import type { StepRule } from "../rule.ts";
import { runCommands } from "../shell/run-commands.ts";
import { dependencyInstall } from "./support/dependency-installs.ts";
import { firstOf } from "./support/first-of.ts";

/** Not with an ignore file that hides everything first: what it shows cannot be told. */
export const copyBeforeInstall: StepRule<"RUN"> = {
  kind: "step",
  on: ["RUN"],
  name: "tsbuild/CopyBeforeInstall",
  description: "Dependencies should be installed before all of the sources are copied",
  examples: () => ({
    bad: "FROM node:24\nWORKDIR /app\nCOPY . .\nRUN --mount=type=cache,target=/root/.npm npm ci",
    line: 4,
    message: "npm ci runs again whenever any file changes: all of them are copied before it, in line 3",
    good: "FROM node:24\nWORKDIR /app\nCOPY package.json package-lock.json ./\nRUN --mount=type=cache,target=/root/.npm npm ci\nCOPY . .",
  }),
  check: (step) => {
    const { instruction, steps, index, ignore } = step;
    const copied = copiedAt(steps);
    if (copied < 0 || copied > index) return [];
    if (ignore?.patterns.some((pattern) => /^\*{1,2}(?:\/\*)?$/.test(pattern)) === true) return [];
    return runCommands(step).flatMap((command) => {
      const install = dependencyInstall(command);
      if (install === undefined) return [];
      const { shown, count, files } = install;
      const line = steps[copied]?.location.start.line ?? 0;
      const message = `${shown} runs again whenever any file changes: all of them are copied before it, in line ${line}`;
      const hint = `COPY ${files} alone, then ${shown}, then COPY the rest`;
      return [{ message, location: instruction.location, at: command.locate(count), hint }];
    });
  },
};

const copiedAt: (steps: readonly Instruction[]) => number = firstOf(
  (instruction) =>
    (instruction.kind === "COPY" || instruction.kind === "ADD") &&
    instruction.from === undefined &&
    instruction.exclude.length === 0 &&
    instruction.sources.some(({ raw }) => /^(?:\.|\.\/|\/|\.\/\*|\*)$/.test(raw)),
);
