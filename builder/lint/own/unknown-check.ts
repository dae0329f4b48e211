import type { DockerfileAst, Instruction } from "../../dockerfile/ast.ts";
import type { SourceLocation } from "../../base/location.ts";
import { suggest } from "../../base/suggest.ts";
import { commentOptions, directiveOptions, parseCheckOptions } from "../check-options.ts";
import type { FileRule, Finding } from "../rule.ts";

/** Names in `# check=` that no check has. `known`: those that there are. */
export function unknownCheck(known: () => readonly string[]): FileRule {
  return {
    kind: "file",
    name: "tsbuild/UnknownCheck",
    description: "A comment # check= should name checks that there are",
    examples: () => ({
      bad: "# check=skip=UndefinedVariable\nFROM scratch\nCOPY $NAME /",
      line: 1,
      message: "There is no check UndefinedVariable",
      good: "# check=skip=UndefinedVar\nFROM scratch\nCOPY $NAME /",
    }),
    check: ({ ast }) => {
      const names = known();
      return mentions(ast).flatMap(({ options, location }) => unknownNames(options, names, location));
    },
  };
}

interface Mention {
  readonly options: string;
  readonly location: SourceLocation;
}

function mentions({ directives, globalArgs, stages }: DockerfileAst): readonly Mention[] {
  const directive = directives.find(({ name }) => name === "check");
  const top =
    directive === undefined ? [] : [{ options: directiveOptions(directive.value), location: directive.location }];
  const instructions: readonly Instruction[] = [
    ...globalArgs,
    ...stages.flatMap(({ from, instructions }) => [from, ...instructions]),
  ];
  const above = instructions.flatMap(({ comments, keyword }) => {
    const options = commentOptions(comments);
    return options === undefined ? [] : [{ options, location: keyword }];
  });
  return [...top, ...above];
}

function unknownNames(options: string, known: readonly string[], location: SourceLocation): readonly Finding[] {
  const config = parseCheckOptions(options);
  if (typeof config === "string") return [];
  return [...config.skip, ...config.experimental].flatMap((name) => {
    if (name === "" || known.includes(name)) return [];
    const near = suggest(name, known);
    const hint = near === undefined ? "docs/checks.md lists them all" : `did you mean ${near}?`;
    return [{ message: `There is no check ${name}`, location, hint }];
  });
}
