import type { DockerfileAst, Instruction } from "../../dockerfile/ast.ts";
import { keywordOf, ruleUrl, type FileRule } from "../rule.ts";

export const consistentInstructionCasing: FileRule = {
  kind: "file",
  name: "ConsistentInstructionCasing",
  description: "All commands within the Dockerfile should use the same casing (either upper or lower)",
  url: ruleUrl("consistent-instruction-casing"),
  wholeFile: true,
  examples: () => ({
    bad: "FROM alpine\nRUN echo one\nrun echo two",
    line: 3,
    message: "Command 'run' should match the case of the command majority (uppercase)",
    good: "FROM alpine\nRUN echo one\nRUN echo two",
  }),
  check: ({ ast }) => {
    const instructions = instructionsOf(ast);
    const names = instructions.map(keywordOf);
    const lower = names.filter((name) => name === name.toLowerCase()).length;
    const upper = names.filter((name) => name === name.toUpperCase()).length;
    const most = lower > upper ? "lowercase" : "uppercase";
    return instructions.flatMap(({ location, keyword }, at) => {
      const name = names[at] ?? "";
      if (name === (most === "lowercase" ? name.toLowerCase() : name.toUpperCase())) return [];
      const message = `Command '${name}' should match the case of the command majority (${most})`;
      return [{ message, location, at: keyword }];
    });
  },
};

/** FROM and what follows; ARGs before the first one do not count. */
function instructionsOf({ stages }: DockerfileAst): readonly Instruction[] {
  return stages.flatMap(({ from, instructions }) => [from, ...instructions]);
}
