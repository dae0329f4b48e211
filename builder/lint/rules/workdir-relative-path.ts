import { ruleUrl, type StepRule } from "../rule.ts";

/** The first WORKDIR of a stage and of those it stands on decides for all that follow. */
export const workdirRelativePath: StepRule<"WORKDIR"> = {
  kind: "step",
  on: ["WORKDIR"],
  name: "WorkdirRelativePath",
  description:
    "Relative workdir without an absolute workdir declared within the build can have unexpected results if the base image changes",
  url: ruleUrl("workdir-relative-path"),
  examples: () => ({
    bad: "FROM nginx\nWORKDIR usr/share/nginx/html",
    line: 2,
    message: 'Relative workdir "usr/share/nginx/html" can have unexpected results if the base image changes',
    good: "FROM nginx\nWORKDIR /usr/share/nginx\nWORKDIR html",
  }),
  check: ({ instruction, state, expand }) => {
    if (state.workdirSet) return [];
    const path = expand(instruction.word.raw);
    if (path === undefined || path.startsWith("/")) return [];
    const message = `Relative workdir ${JSON.stringify(path)} can have unexpected results if the base image changes`;
    return [{ message, location: instruction.location, at: instruction.word.location }];
  },
};
