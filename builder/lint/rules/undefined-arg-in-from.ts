import type { SourceLocation } from "../../base/location.ts";
import { nearestName } from "../../base/suggest.ts";
import type { FromFacts } from "../../convert/observer.ts";
import { ruleUrl, type Findings, type FromRule } from "../rule.ts";

export const undefinedArgInFrom: FromRule = {
  kind: "from",
  name: "UndefinedArgInFrom",
  description: "FROM command must use declared ARGs",
  url: ruleUrl("undefined-arg-in-from"),
  examples: () => ({
    bad: "ARG VARIANT=3\nFROM alpine:${VARIANT}${VARIAN}",
    line: 2,
    message: "FROM argument 'VARIAN' is not declared (did you mean VARIANT?)",
    good: "ARG VARIANT=3\nFROM alpine:${VARIANT}",
  }),
  check: (facts) => {
    const { image, platform, stage } = facts;
    const flag = stage.from.flags.find(({ name }) => name === "platform");
    return [
      ...undeclared(facts, image.unmatched, stage.from.image.location),
      ...undeclared(facts, platform?.unmatched ?? [], flag?.location ?? stage.from.location),
    ];
  },
};

function undeclared({ stage, declared }: FromFacts, names: readonly string[], at: SourceLocation): Findings {
  const { location } = stage.from;
  return names.flatMap((name) => {
    if (declared.includes(name)) return [];
    const near = nearestName(name, declared);
    const meant = near === undefined ? "" : ` (did you mean ${near}?)`;
    return [{ message: `FROM argument '${name}' is not declared${meant}`, location, at }];
  });
}
