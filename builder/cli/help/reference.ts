import type { CommandSpec } from "../flags/command.ts";
import { signature } from "./help.ts";

/** The part of docs/cli.md that is made from the command table. */
export function reference(commands: readonly CommandSpec[]): string {
  return commands.map(section).join("\n");
}

function section(command: CommandSpec): string {
  const operands = command.operands === "" ? "" : ` ${command.operands}`;
  const aliases = command.aliases === undefined ? "" : ` Also: \`tsbuild ${command.aliases.join("`, `tsbuild ")}\`.`;
  const rows = command.flags.map((flag) => `| \`${signature(flag).trim()}\` | ${flag.help.replaceAll("|", "\\|")} |`);
  const refused = (command.missing ?? [])
    .filter(({ noop }) => noop?.includes("") !== true)
    .map(({ name }) => `\`--${name}\``);
  return [
    `### tsbuild ${command.name}${operands}`,
    "",
    `${command.summary}.${aliases}`,
    "",
    "```sh",
    ...command.examples,
    "```",
    "",
    "| Flag | Meaning |",
    "|---|---|",
    ...rows,
    "",
    ...(refused.length === 0 ? [] : [`Refused by name, as not implemented: ${refused.join(" ")}`, ""]),
  ].join("\n");
}
