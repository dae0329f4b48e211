import { ruleUrl, type StepRule } from "../rule.ts";
import { exposedPorts } from "../exposed-ports.ts";

export const exposeInvalidFormat: StepRule<"EXPOSE"> = {
  kind: "step",
  on: ["EXPOSE"],
  name: "ExposeInvalidFormat",
  description:
    "IP address and host-port mapping should not be used in EXPOSE instruction. This will become an error in a future release",
  url: ruleUrl("expose-invalid-format"),
  examples: () => ({
    bad: "FROM alpine\nEXPOSE 127.0.0.1:80:80",
    line: 2,
    message: "EXPOSE instruction should not define an IP address or host-port mapping, found '127.0.0.1:80:80'",
    good: "FROM alpine\nEXPOSE 80",
  }),
  check: (step) =>
    exposedPorts(step).flatMap(({ text, mapped, location: at }) => {
      if (!mapped) return [];
      const message = `EXPOSE instruction should not define an IP address or host-port mapping, found '${text}'`;
      return [{ message, location: step.instruction.location, at }];
    }),
};
