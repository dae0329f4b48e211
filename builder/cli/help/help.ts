import type { CommandSpec, FlagSpec } from "../flags/command.ts";
import type { CommandTable } from "../flags/command-table.ts";
import { commonFlags } from "../flags/shared-flags.ts";

/** What `tsbuild` alone and `tsbuild --help` print. */
export function generalHelp({ commands }: CommandTable): string {
  const usual = commands.filter(({ rare }) => rare !== true);
  const lines = usual.map((command) => `  ${command.name.padEnd(9)}${command.summary}`);
  const others = commands.filter(({ rare }) => rare === true).map(({ name }) => name);
  return [
    "tsbuild [flags] PATH builds an image; tsbuild COMMAND does the rest. No daemon.",
    "  tsbuild -t app .                     build ./Dockerfile as app:latest",
    "  tsbuild run -it --rm app sh          a shell in it",
    "  tsbuild push localhost:5000/app      send it to a registry",
    "",
    ...lines,
    `Also ${others.join(", ")}.`,
    "tsbuild COMMAND --help shows a command's flags; tsbuild --version the version.",
    "",
  ].join("\n");
}

/** What `tsbuild COMMAND --help` prints: examples first, then every flag. */
export function commandHelp(command: CommandSpec): string {
  const own = command.flags.filter((flag) => !commonFlags.includes(flag));
  const operands = command.operands === "" ? "" : ` ${command.operands}`;
  const head = [
    `tsbuild ${command.name} [flags]${operands}   ${command.summary}`,
    ...command.examples.map((example) => `  ${example}`),
    "",
  ];
  const rows = [...own, ...commonFlags].map((flag): readonly [string, string] => [signature(flag), flag.help]);
  const rest = `More than this: tsbuild man ${command.name} | man -l -`;
  return [...head, ...table(rows), rest, ""].join("\n");
}

/** `-t, --tag NAME` */
export function signature(flag: FlagSpec): string {
  const short = flag.short === undefined ? "    " : `-${flag.short}, `;
  const value = flag.value === undefined ? "" : flag.bare === undefined ? ` ${flag.value}` : `[=${flag.value}]`;
  return `${short}--${flag.name}${value}`;
}

function table(rows: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.max(0, ...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
