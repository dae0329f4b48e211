import type { StepRule } from "../rule.ts";
import { runCommands, type RunCommand } from "../shell/run-commands.ts";

const downloads: ReadonlySet<string> = new Set(["curl", "wget"]);
/** What succeeds when it is given nothing; an unpacker does not. */
const contentWithNothing: ReadonlySet<string> = new Set(
  "sh bash ash dash zsh ksh python python3 perl ruby node php tee cat sed awk tr sort xargs".split(" "),
);

export const downloadIntoPipe: StepRule<"RUN"> = {
  kind: "step",
  on: ["RUN"],
  name: "tsbuild/DownloadIntoPipe",
  description: "A download that fails should fail its RUN",
  examples: () => ({
    bad: "FROM debian:12\nRUN curl -fsSL https://example.com/install.sh | sh",
    line: 2,
    message: "When curl fails, sh succeeds with nothing, and the RUN with it",
    good: 'FROM debian:12\nSHELL ["/bin/bash", "-o", "pipefail", "-c"]\nRUN curl -fsSL https://example.com/install.sh | sh',
  }),
  check: (step) => {
    const { instruction, state } = step;
    if ((state.config.Shell ?? []).some((word) => word.includes("pipefail"))) return [];
    const commands = runCommands(step);
    const set = commands.findIndex(setsPipefail);
    return (set < 0 ? commands : commands.slice(0, set)).flatMap((command, at) => {
      const reader = commands[at + 1];
      if (!downloads.has(command.name) || !/^\|&?$/.test(command.next) || reader === undefined) return [];
      if (!contentWithNothing.has(reader.name)) return [];
      const message = `When ${command.name} fails, ${reader.name} succeeds with nothing, and the RUN with it`;
      const hint = `download to a file first, or put SHELL ["/bin/bash", "-o", "pipefail", "-c"] above`;
      return [{ message, location: instruction.location, at: command.locate(), hint }];
    });
  },
};

function setsPipefail({ name, args }: RunCommand): boolean {
  return name === "set" && args.includes("pipefail");
}
