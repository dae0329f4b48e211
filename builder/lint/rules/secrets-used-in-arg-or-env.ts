import { ruleUrl, type StepRule } from "../rule.ts";

const secret: ReadonlySet<string> = new Set(
  "apikey auth credential credentials key password pword passwd secret token".split(" "),
);
const harmless: ReadonlySet<string> = new Set(["public", "file", "version"]);

export const secretsUsedInArgOrEnv: StepRule<"ARG" | "ENV"> = {
  kind: "step",
  on: ["ARG", "ENV"],
  name: "SecretsUsedInArgOrEnv",
  description: "Sensitive data should not be used in the ARG or ENV commands",
  url: ruleUrl("secrets-used-in-arg-or-env"),
  examples: () => ({
    bad: "FROM alpine\nARG AWS_SECRET_ACCESS_KEY",
    line: 2,
    message: 'Do not use ARG or ENV instructions for sensitive data (ARG "AWS_SECRET_ACCESS_KEY")',
    good: "FROM alpine\nRUN --mount=type=secret,id=aws,env=AWS_SECRET_ACCESS_KEY echo",
  }),
  check: ({ instruction, expand }) => {
    const { kind, location } = instruction;
    const pairs =
      instruction.kind === "ARG"
        ? instruction.args
        : instruction.pairs.map((pair) => ({ ...pair, key: expand(pair.key) ?? "" }));
    return pairs.flatMap(({ key, location: at }) => {
      if (!looksSecret(key)) return [];
      const message = `Do not use ARG or ENV instructions for sensitive data (${kind} ${JSON.stringify(key)})`;
      return [{ message, location, at }];
    });
  },
};

/** By the words between underscores, whatever their case. */
function looksSecret(key: string): boolean {
  const words = key.toLowerCase().split("_");
  return words.some((word) => secret.has(word)) && !words.some((word) => harmless.has(word));
}
