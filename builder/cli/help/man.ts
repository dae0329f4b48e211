import type { CommandSpec, FlagSpec } from "../flags/command.ts";
import { commonFlags } from "../flags/shared-flags.ts";

/** A page of the manual: its file's name and its text for man(7). */
export interface ManPage {
  readonly file: string;
  readonly text: string;
}

/** All pages: tsbuild(1) and one for each command, made of the command table. The same version gives the same bytes. */
export function manPages(commands: readonly CommandSpec[], version: string): readonly ManPage[] {
  return [
    { file: "tsbuild.1", text: generalPage(commands, version) },
    ...commands.map((command) => ({ file: `${pageName(command)}.1`, text: commandPage(command, version) })),
  ];
}

function pageName({ name }: CommandSpec): string {
  return `tsbuild-${name.replace(" ", "-")}`;
}

function generalPage(commands: readonly CommandSpec[], version: string): string {
  return page("tsbuild", "build OCI images without a daemon, and run them", version, [
    ".SH SYNOPSIS",
    ".B tsbuild",
    "[\\fIflags\\fR] \\fIPATH\\fR|\\fIURL\\fR|\\-",
    ".br",
    ".B tsbuild",
    "\\fICOMMAND\\fR [\\fIflags\\fR] [\\fIargument\\fR...]",
    ".SH DESCRIPTION",
    text(
      "The first form builds an image from a Dockerfile; it is short for tsbuild build. RUN steps execute in namespaces of their own. Standard output has results only, progress and errors go to standard error.",
    ),
    ".SH COMMANDS",
    ...commands.flatMap((command) => [".TP", `.BR ${text(pageName(command))} (1)`, text(command.summary)]),
    ".SH OPTIONS",
    ...commonFlags.flatMap(flagLines),
    ...environment,
    ...files,
    ...exitStatus(undefined),
  ]);
}

function commandPage(command: CommandSpec, version: string): string {
  const { name, summary, operands, aliases = [], flags, examples } = command;
  const also = aliases.map((alias) => `tsbuild ${alias}`).join(", ");
  const call = name === "build" ? [".B tsbuild", `[\\fIflags\\fR] ${operand(operands)}`, ".br"] : [];
  return page(pageName(command), summary.charAt(0).toLowerCase() + summary.slice(1), version, [
    ".SH SYNOPSIS",
    ...call,
    `.B tsbuild ${text(name)}`,
    `[\\fIflags\\fR] ${operand(operands)}`.trimEnd(),
    ".SH DESCRIPTION",
    text(`${summary}.${also === "" ? "" : ` Also: ${also}.`}`),
    ".SH OPTIONS",
    ...flags.flatMap(flagLines),
    ".SH EXAMPLES",
    ".nf",
    ...examples.map(text),
    ".fi",
    ...exitStatus(name),
    ".SH SEE ALSO",
    ".BR tsbuild (1)",
  ]);
}

function page(name: string, summary: string, version: string, body: readonly string[]): string {
  const title = text(name).toUpperCase().replaceAll("\\-", "\\-");
  return [
    `.TH "${title}" 1 "" "tsbuild ${text(version)}" "tsbuild"`,
    ".SH NAME",
    `${text(name)} \\- ${text(summary)}`,
    ...body,
    "",
  ].join("\n");
}

function flagLines(flag: FlagSpec): readonly string[] {
  const { name, short, value, bare, help, choices } = flag;
  const shown = value === undefined ? "" : bare === undefined ? ` \\fI${text(value)}\\fR` : `[=\\fI${text(value)}\\fR]`;
  const names = [...(short === undefined ? [] : [`\\fB\\-${text(short)}\\fR`]), `\\fB\\-\\-${text(name)}\\fR${shown}`];
  const words = choices === undefined || help.includes(choices[0] ?? "") ? "" : ` (${choices.join(", ")})`;
  return [".TP", names.join(", "), text(help.charAt(0).toUpperCase() + help.slice(1) + words)];
}

function operand(operands: string): string {
  return operands
    .split(" ")
    .map((word) => text(word).replace(/[A-Z]+/g, "\\fI$&\\fR"))
    .join(" ");
}

const environment: readonly string[] = [
  ".SH ENVIRONMENT",
  ...[
    ["TSBUILD_ROOT", "The store's directory."],
    ["TSBUILD_PROGRESS, BUILDKIT_PROGRESS", "The mode of progress: auto, tty, plain, rawjson or quiet."],
    ["BUILDKIT_COLORS, BUILDKIT_TTY_LOG_LINES", "Colours, and log lines under a running step."],
    ["NO_COLOR, FORCE_COLOR, CLICOLOR_FORCE", "Whether there is colour."],
    ["SOURCE_DATE_EPOCH", "The time of new layers, the config and the history."],
    ["DOCKER_CONFIG, REGISTRY_AUTH_FILE, DOCKER_AUTH_CONFIG", "Where credentials are."],
    ["HTTP_PROXY, HTTPS_PROXY, NO_PROXY", "Proxies, also for RUN."],
    ["TSBUILD_DEBUG", "1: causes and stack of an error."],
  ].flatMap(([name = "", help = ""]) => [".TP", `.B ${text(name)}`, text(help)]),
];

const files: readonly string[] = [
  ".SH FILES",
  ...[
    ["/var/lib/tsbuild, ~/.local/share/tsbuild", "The store of root, and of a plain user."],
    ["/etc/tsbuild/config.json, ~/.config/tsbuild/config.json, ./tsbuild.json", "Settings."],
    ["~/.docker/config.json", "Credentials of registries."],
    ["/etc/containers/registries.conf, /etc/containers/certs.d, /etc/containerd/certs.d", "Registries."],
  ].flatMap(([name = "", help = ""]) => [".TP", `.I ${text(name)}`, text(help)]),
];

function exitStatus(command: string | undefined): readonly string[] {
  const rows: readonly (readonly [string, string])[] = [
    ["0", "Done."],
    ["1", "The build or the command failed."],
    ["2", "The command line or a setting is wrong: nothing was done."],
    ...(command === undefined || command === "run"
      ? ([["125, 126, 127", "run: tsbuild failed, the program cannot be executed, it was not found."]] as const)
      : []),
    ["130, 143", "Interrupted by SIGINT, SIGTERM."],
  ];
  return [".SH EXIT STATUS", ...rows.flatMap(([code, help]) => [".TP", `.B ${code}`, text(help)])];
}

/** Text as roff prints it: nothing of it is a request or an escape. */
function text(plain: string): string {
  const escaped = plain
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("'", "\\(aq")
    .replaceAll("`", "\\(ga");
  return /^[.]/.test(escaped) ? `\\&${escaped}` : escaped;
}
