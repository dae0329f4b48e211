import { ruleUrl, type InstructionOf, type WrittenRule } from "../rule.ts";

export const invalidDefinitionDescription: WrittenRule<"FROM" | "ARG"> = {
  kind: "written",
  on: ["FROM", "ARG"],
  name: "InvalidDefinitionDescription",
  description:
    "Comment for build stage or argument should follow the format: `# <arg/stage name> <description>`. If this is not intended to be a description comment, add an empty line or comment between the instruction and the comment.",
  url: ruleUrl("invalid-definition-description"),
  experimental: true,
  examples: () => ({
    bad: "# check=experimental=InvalidDefinitionDescription\n# a non-descriptive comment\nFROM scratch AS base",
    line: 3,
    message: "Comment for FROM should follow the format: `# base <description>`",
    good: "# check=experimental=InvalidDefinitionDescription\n# base this stage serves as the base\nFROM scratch AS base",
  }),
  check: (instruction) => {
    const [name = "", ...more] = definedNames(instruction);
    const comment = instruction.comments.at(-1);
    if (name === "" || comment === undefined) return [];
    const [word = ""] = comment.split(" ", 1);
    if (word === name || more.includes(word)) return [];
    const wanted = more.length > 0 ? "<arg_key>" : name;
    const message = `Comment for ${instruction.kind} should follow the format: \`# ${wanted} <description>\``;
    return [{ message, location: instruction.location }];
  },
};

function definedNames(instruction: InstructionOf<"FROM" | "ARG">): readonly string[] {
  if (instruction.kind === "ARG") return instruction.args.map(({ key }) => key);
  return instruction.name === undefined ? [] : [instruction.name];
}
