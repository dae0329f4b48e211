import { ownRules } from "./own-rules.ts";
import type { RuleExamples, RuleInfo } from "./rule.ts";
import { buildkitRules } from "./rules.ts";

/** Every check with its examples: the end of docs/checks.md. */
export function checksReference(): string {
  return [
    "## BuildKit's checks\n",
    ...buildkitRules.map(section),
    "## tsbuild's own checks\n",
    ...ownRules.map(section),
  ].join("\n");
}

function section({ name, description, url, experimental, wholeFile, examples }: RuleInfo): string {
  const { bad, good, line, message, ...rest } = examples();
  const notes = [
    ...(experimental === undefined ? [] : [`Off unless \`experimental=${name}\` or \`experimental=all\` asks for it.`]),
    ...(wholeFile === undefined ? [] : ["A comment above an instruction does not skip it."]),
  ];
  return [
    `### ${name}\n`,
    `${description.replace(/\.$/, "")}.${url === undefined ? "" : ` [Docker's page](${url})`}${notes.map((note) => ` ${note}`).join("")}\n`,
    ...surroundings(rest),
    block(bad),
    `Line ${line}: ${code(message)}\n`,
    "Better:\n",
    block(good),
  ].join("\n");
}

function surroundings({ ignore, buildArgs, base }: Partial<RuleExamples>): readonly string[] {
  const args = Object.entries(buildArgs ?? {}).map(([key, value]) => `\`--build-arg ${key}=${value}\``);
  const { os = "linux", architecture, env } = base ?? {};
  const said = [
    ...(architecture === undefined ? [] : [`is for ${os}/${architecture}`]),
    ...(env === undefined ? [] : [`has ${env.map(code).join(", ")}`]),
  ];
  const parts = [
    ...(ignore === undefined ? [] : [`a \`.dockerignore\` of ${code(ignore.trim())}`]),
    ...args,
    ...(said.length === 0 ? [] : [`a base image that ${said.join(" and ")}`]),
  ];
  return parts.length === 0 ? [] : [`With ${parts.join(" and ")}:\n`];
}

function block(text: string): string {
  return `\`\`\`dockerfile\n${text}\n\`\`\`\n`;
}

function code(text: string): string {
  return text.includes("`") ? `\`\` ${text} \`\`` : `\`${text}\``;
}
