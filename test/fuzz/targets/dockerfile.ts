import { parseDockerfile } from "../../../builder/dockerfile/parse.ts";
import { lintText } from "../../rig/lint.ts";
import { outcome, outcomeOf, same } from "../rig/check.ts";
import type { FuzzTarget } from "../rig/target.ts";
import { dockerfileTokens, dockerfiles, dockerfileSeeds } from "./dockerfile-grammar.ts";
import { Places } from "./places.ts";

/** Lines, instructions, flags, heredocs: always an AST or one error, with places in the text. */
export const dockerfile: FuzzTarget = {
  name: "dockerfile",
  sources: ["builder/dockerfile/"],
  tokens: dockerfileTokens,
  seeds: dockerfileSeeds,
  grammar: dockerfiles,
  check(input) {
    const text = input.toString("utf8");
    const places = new Places(text);
    const parse = (): unknown => outcome(() => parseDockerfile(input, "Dockerfile"));
    const { value, error } = outcome(() => parseDockerfile(input, "Dockerfile"));
    if (error !== undefined) places.ofError(error);
    else places.everywhere({ ...value, text: "" });
    same("a second time", parse(), { value, error });
  },
};

/** From the text to the graph of steps and its 22 checks, over images that are made up. */
export const plan: FuzzTarget = {
  name: "plan",
  sources: ["builder/dockerfile/", "builder/convert/", "builder/lint/"],
  tokens: dockerfileTokens,
  seeds: dockerfileSeeds,
  grammar: dockerfiles,
  async check(input) {
    const text = input.toString("utf8");
    const places = new Places(text);
    const { warnings, error } = await lintText(text, { allStages: true, ignore: "a\n!b\n" });
    for (const { location, at } of warnings) {
      places.check(location);
      if (at !== undefined) places.check(at);
    }
    const rethrown = await outcomeOf(async () => (error === undefined ? undefined : await Promise.reject(error)));
    if (rethrown.error !== undefined) places.ofError(rethrown.error);
  },
};
