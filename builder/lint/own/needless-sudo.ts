import type { StepRule } from "../rule.ts";
import { runCommands } from "../shell/run-commands.ts";

/** Where the user is root; `sudo -u NAME` is something else. */
export const needlessSudo: StepRule<"RUN"> = {
  kind: "step",
  on: ["RUN"],
  name: "tsbuild/NeedlessSudo",
  description: "root needs no sudo",
  examples: () => ({
    bad: "FROM debian:12\nRUN sudo mkdir /data",
    line: 2,
    message: "The step runs as root, so sudo does nothing",
    good: "FROM debian:12\nRUN mkdir /data",
  }),
  check: (step) => {
    const { instruction, state, baseKnown } = step;
    if (!baseKnown || !/^(?:root|0)?(?::.*)?$/.test(state.config.User ?? "")) return [];
    return runCommands(step).flatMap(({ front, name, locate }) => {
      if (front[0] !== "sudo" || name === "" || front.some((word) => /^(?:-\w*[ugi]|--user|--group)/.test(word)))
        return [];
      const message = "The step runs as root, so sudo does nothing";
      return [{ message, location: instruction.location, at: locate(0), hint: "leave sudo out" }];
    });
  },
};
