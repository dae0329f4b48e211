import { ruleUrl, type StepRule } from "../rule.ts";
import { exposedPorts } from "../exposed-ports.ts";

export const exposeProtoCasing: StepRule<"EXPOSE"> = {
  kind: "step",
  on: ["EXPOSE"],
  name: "ExposeProtoCasing",
  description: "Protocol in EXPOSE instruction should be lowercase",
  url: ruleUrl("expose-proto-casing"),
  examples: () => ({
    bad: "FROM alpine\nEXPOSE 80/TcP",
    line: 2,
    message: "Defined protocol '80/TcP' in EXPOSE instruction should be lowercase",
    good: "FROM alpine\nEXPOSE 80/tcp",
  }),
  check: (step) =>
    exposedPorts(step).flatMap(({ text, protocol, location: at }) => {
      if (protocol === protocol.toLowerCase()) return [];
      const message = `Defined protocol '${text}' in EXPOSE instruction should be lowercase`;
      return [{ message, location: step.instruction.location, at }];
    }),
};
