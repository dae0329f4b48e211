import { nearestName } from "../../base/suggest.ts";
import { ruleUrl, type UnsetRule } from "../rule.ts";

/** ARGs for the builder that are no variables. */
const notVariables: ReadonlySet<string> = new Set(["BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"]);

export const undefinedVar: UnsetRule = {
  kind: "unset",
  name: "UndefinedVar",
  description: "Variables should be defined before their use",
  url: ruleUrl("undefined-var"),
  examples: () => ({
    bad: "FROM alpine\nARG DIR_CONFIG=config/\nCOPY ${DIR_CONFI}app.cfg .",
    line: 3,
    message: "Usage of undefined variable '$DIR_CONFI' (did you mean $DIR_CONFIG?)",
    good: "FROM alpine\nARG DIR_CONFIG=config/\nCOPY ${DIR_CONFIG}app.cfg .",
  }),
  check: ({ name, known, instruction, locate }) => {
    if (notVariables.has(name)) return [];
    const near = nearestName(name, known);
    const meant = near === undefined ? "" : ` (did you mean $${near}?)`;
    const { location } = instruction;
    const at = locate(name, location);
    const message = `Usage of undefined variable '$${name}'${meant}`;
    return [{ message, location, ...(at === undefined ? {} : { at }) }];
  },
};
