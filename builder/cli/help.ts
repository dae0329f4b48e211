import type { CommandSpec, FlagSpec } from "./command.ts";
import { commonFlags, commands } from "./options.ts";

/** What `tsbuild` alone and `tsbuild --help` print. */
export function generalHelp(): string {
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

/** What `tsbuild COMMAND --help` prints: examples first, under 24 lines. */
export function commandHelp(command: CommandSpec): string {
  const own = command.flags.filter((flag) => !commonFlags.includes(flag));
  const operands = command.operands === "" ? "" : ` ${command.operands}`;
  const head = [
    `tsbuild ${command.name} [flags]${operands}   ${command.summary}`,
    ...command.examples.map((example) => `  ${example}`),
    "",
  ];
  const rows = own.map((flag): readonly [string, string] => [signature(flag), flag.help]);
  const rest = `Also ${commonFlags.map((flag) => `--${flag.name}`).join(", ")}, --help. All of it: docs/cli.md`;
  const room = 23 - head.length - 1;
  const body = rows.length <= room ? table(rows) : packed(rows, room);
  return [...head, ...body, rest, ""].join("\n");
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

const lineWidth = 100;

/** Too many for one line each: the first ones keep their help, the others stand in few lines without it. */
function packed(rows: readonly (readonly [string, string])[], room: number): readonly string[] {
  for (let full = room - 1; full > 0; full--) {
    const lines = wrapped(rows.slice(full).map(([left]) => left.trim()));
    if (full + lines.length <= room) return [...table(rows.slice(0, full)), ...lines];
  }
  return wrapped(rows.map(([left]) => left.trim()));
}

function wrapped(words: readonly string[]): readonly string[] {
  const lines: string[] = [];
  for (const word of words) {
    const longer = `${lines.at(-1) ?? ""}  ${word}`;
    if (lines.length > 0 && longer.length <= lineWidth) lines[lines.length - 1] = longer;
    else lines.push(`  ${word}`);
  }
  return lines;
}
