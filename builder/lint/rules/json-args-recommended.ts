import type { CmdInstruction } from "../../dockerfile/ast.ts";
import { keywordOf, ruleUrl, type StepRule } from "../rule.ts";

export const jsonArgsRecommended: StepRule<"CMD" | "ENTRYPOINT"> = {
  kind: "step",
  on: ["CMD", "ENTRYPOINT"],
  name: "JSONArgsRecommended",
  description: "JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior related to OS signals",
  url: ruleUrl("json-args-recommended"),
  examples: () => ({
    bad: "FROM alpine\nENTRYPOINT my-program start",
    line: 2,
    message: "JSON arguments recommended for ENTRYPOINT to prevent unintended behavior related to OS signals",
    good: 'FROM alpine\nENTRYPOINT ["my-program", "start"]',
  }),
  check: ({ instruction, state }) => {
    if (!isShellForm(instruction) || (state.config.Shell ?? []).length > 0) return [];
    const message = `JSON arguments recommended for ${keywordOf(instruction)} to prevent unintended behavior related to OS signals`;
    return [{ message, location: instruction.location, at: instruction.keyword }];
  },
};

/** Without arguments as well, though that is the empty list in the image. */
function isShellForm({ command, original }: CmdInstruction): boolean {
  return command.form === "shell" || !original.includes("[");
}
