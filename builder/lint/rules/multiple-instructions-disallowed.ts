import { keywordOf, ruleUrl, type StepRule } from "../rule.ts";

/** Told at the one before, which is the one that does nothing. */
export const multipleInstructionsDisallowed: StepRule<"CMD" | "ENTRYPOINT" | "HEALTHCHECK"> = {
  kind: "step",
  on: ["CMD", "ENTRYPOINT", "HEALTHCHECK"],
  name: "MultipleInstructionsDisallowed",
  description: "Multiple instructions of the same type should not be used in the same stage",
  url: ruleUrl("multiple-instructions-disallowed"),
  examples: () => ({
    bad: 'FROM alpine\nENTRYPOINT ["echo", "Hello"]\nENTRYPOINT ["echo", "world"]',
    line: 2,
    message:
      "Multiple ENTRYPOINT instructions should not be used in the same stage because only the last one will be used",
    good: 'FROM alpine\nENTRYPOINT ["echo", "Hello world"]',
  }),
  check: ({ instruction, steps, index }) => {
    const { kind } = instruction;
    const last = steps.findLast((step, at) => at < index && step.kind === kind);
    if (last === undefined) return [];
    const message = `Multiple ${keywordOf(instruction)} instructions should not be used in the same stage because only the last one will be used`;
    return [{ message, location: last.location, at: last.keyword }];
  },
};
