import type { StepRule } from "../rule.ts";
import { runCommands, type RunCommand } from "../shell/run-commands.ts";

/** What only changes the shell that it is said to, and what to write in its place. */
const hints: Readonly<Record<string, string>> = {
  cd: "WORKDIR sets the directory of all that follows",
  export: "ENV sets a variable for all that follows",
  "": "ENV sets a variable for all that follows",
  umask: "put it into the RUN that needs it",
  ulimit: "put it into the RUN that needs it",
  alias: "put it into the RUN that needs it",
  set: "put it into the RUN that needs it, or into SHELL",
};

export const runWithoutEffect: StepRule<"RUN"> = {
  kind: "step",
  on: ["RUN"],
  name: "tsbuild/RunWithoutEffect",
  description: "A RUN should do something that is there after it",
  examples: () => ({
    bad: "FROM debian:12\nRUN cd /app\nRUN make",
    line: 2,
    message: "This RUN does nothing: what cd changes is gone when it ends",
    good: "FROM debian:12\nWORKDIR /app\nRUN make",
  }),
  check: (step) => {
    const commands = runCommands(step);
    const [first] = commands;
    if (first === undefined || !commands.every(isPassing)) return [];
    const what = first.name === "" ? "an assignment" : first.name;
    const message = `This RUN does nothing: what ${what} changes is gone when it ends`;
    return [
      { message, location: step.instruction.location, at: first.locate(), hint: hints[first.name] ?? "leave it out" },
    ];
  },
};

/** A substitution may do anything, a redirection makes a file. */
function isPassing({ name, args, env, front, redirected }: RunCommand): boolean {
  if (front.length > 0 || redirected) return false;
  return Object.hasOwn(hints, name) && ![...args, ...env].some((text) => /\$\(|`/.test(text));
}
