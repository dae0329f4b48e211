import { parseReference } from "../../../store/oci/reference.ts";
import type { DockerfileAst } from "../../dockerfile/ast.ts";
import { expandWord } from "../../dockerfile/expand.ts";
import { evaluateGlobalArgs } from "../../convert/global-args.ts";
import type { FileFacts } from "../../convert/observer.ts";
import { ruleUrl, type FileRule } from "../rule.ts";

/** Base images must have names also when no --build-arg is given. */
export const invalidDefaultArgInFrom: FileRule = {
  kind: "file",
  name: "InvalidDefaultArgInFrom",
  description: "Default value for global ARG results in an empty or invalid base image name",
  url: ruleUrl("invalid-default-arg-in-from"),
  wholeFile: true,
  examples: () => ({
    bad: "ARG TAG\nFROM busybox:${TAG}",
    line: 2,
    message: "Default value for ARG busybox:${TAG} results in empty or invalid base image name",
    good: "ARG TAG=latest\nFROM busybox:${TAG}",
    buildArgs: { TAG: "1" },
  }),
  check: (facts) => {
    const names = defaultNames(facts);
    return facts.ast.stages.flatMap(({ from: { image, location } }, at) => {
      const name = names[at];
      if (name === undefined || isImageName(name)) return [];
      const message = `Default value for ARG ${image.raw} results in empty or invalid base image name`;
      return [{ message, location, at: image.location }];
    });
  },
};

/** The names of the base images up to the first that cannot be read, which is an error of its own. */
function defaultNames({ ast, predefined }: FileFacts): readonly string[] {
  const names: string[] = [];
  try {
    const values = evaluateGlobalArgs(ast, predefined, new Map());
    for (const raw of rawNames(ast)) names.push(expandWord(raw, values, { escape: ast.escape }).text);
  } catch {
    // Told where the names are needed.
  }
  return names;
}

function rawNames({ stages }: DockerfileAst): readonly string[] {
  return stages.map(({ from }) => from.image.raw);
}

function isImageName(text: string): boolean {
  try {
    parseReference(text);
    return true;
  } catch {
    return false;
  }
}
