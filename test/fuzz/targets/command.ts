import { parseCsv } from "../../../builder/cli/base/csv.ts";
import { compileTemplate } from "../../../builder/cli/format/template.ts";
import { addHosts, allowed, cgroupParent, resources, shmSize, ulimits } from "../../../builder/cli/flags/limits.ts";
import { table } from "../../../builder/cli/commands/table.ts";
import { parseOutputs } from "../../../builder/cli/flags/outputs.ts";
import { parseLine } from "../../../builder/cli/flags/parse.ts";
import { parseMirrors } from "../../../builder/cli/config/settings.ts";
import { disarmed, disarmedJson } from "../../../builder/cli/ci/disarm.ts";
import { cut, displayWidth, plainLine, printable } from "../../../builder/cli/base/text.ts";
import { TerminalLines, terminalText } from "../../../builder/base/terminal-lines.ts";
import { outcome, same } from "../rig/check.ts";
import type { FuzzTarget } from "../rig/target.ts";

/** A command's name, then its words, each after a NUL. */
export const lines: FuzzTarget = {
  name: "lines",
  sources: [
    "builder/cli/flags/parse.ts",
    "builder/cli/base/csv.ts",
    "builder/cli/flags/outputs.ts",
    "builder/cli/flags/limits.ts",
    "builder/cli/base/suggest.ts",
  ],
  tokens: [
    "build",
    "run",
    "images",
    "\0",
    "--",
    "-",
    "--tag",
    "-t",
    "-it",
    "--output=",
    "type=image",
    ",",
    "=",
    '"',
    "name=a",
    "dest=",
    "push=true",
    "type=local,dest=/d",
    "--no-cache=false",
    "--help",
    "nofile=1:2",
    "db=10.0.0.1",
    "memory=1g",
    "network.host",
    "device=a.b/c=d",
    "docker.io=http://h",
  ],
  seeds: [
    "build\0-t\0a\0--output=type=tar,dest=x\0.",
    "run\0-it\0--ulimit\0nofile=1\0img\0sh",
    "images\0--filter\0dangling=true",
  ],
  check(input) {
    const [name = "", ...rest] = input.toString("utf8").split("\0");
    const command = table.commands.find((one) => one.name === name) ?? table.commands[0];
    if (command !== undefined) outcome(() => parseLine(command, rest));
    for (const word of rest.slice(0, 4)) {
      outcome(() => parseCsv(word, "--output"));
      outcome(() => parseOutputs([word], { push: false, load: false, stdoutIsTerminal: false }));
      outcome(() => resources([word]));
      outcome(() => ulimits([word]));
      outcome(() => addHosts([word]));
      outcome(() => allowed([word]));
      outcome(() => shmSize(word));
      outcome(() => cgroupParent(word));
      outcome(() => parseMirrors([word]));
    }
  },
};

const row = { ID: "sha256:ab", Names: ["a", "b"], Size: 3, Config: { Labels: { "a.b": "c" }, Env: null }, Ok: true };

export const templates: FuzzTarget = {
  name: "templates",
  sources: ["builder/cli/format/"],
  tokens: [
    "{{",
    "}}",
    "{{-",
    "-}}",
    ".",
    ".ID",
    ".Names",
    ".Config.Labels",
    "range ",
    "if ",
    "else ",
    "end",
    "with ",
    "json ",
    "index ",
    "printf ",
    '"%s"',
    '"%99d"',
    "len ",
    "join ",
    "split ",
    "slice ",
    "truncate ",
    "|",
    "(",
    ")",
    "$",
    "$x",
    ":=",
    ",",
    '"',
    "`",
    "1",
    "-1",
    "nil",
    "not ",
    "and ",
    "or ",
    "eq ",
    "/* */",
  ],
  seeds: [
    "{{.ID}} {{json .}}",
    "{{range $i, $n := .Names}}{{$i}}{{$n}}{{else}}-{{end}}",
    '{{if eq .Size 3}}{{printf "%s-%d" .ID .Size}}{{end}}',
    '{{with .Config}}{{index .Labels "a.b" | upper}}{{end}}',
  ],
  check(input) {
    const text = input.toString("utf8");
    const { value } = outcome(() => compileTemplate(text));
    if (value !== undefined) outcome(() => value(row));
  },
};

/** What containers print, on its way to a terminal. */
export const screen: FuzzTarget = {
  name: "screen",
  sources: ["builder/cli/base/text.ts"],
  tokens: [
    "\x1b[",
    "\x1b]",
    "31m",
    "K",
    "\x07",
    "\x9b",
    "\x90",
    "\u200b",
    "漢",
    "\u{1f600}",
    "\t",
    "\r",
    "\b",
    "a",
    "\x1b\\",
    "\u202e",
  ],
  seeds: ["\x1b[31mred\x1b[0m", "a\rb\x1b]0;title\x07c", "漢字\u{1f600}"],
  check(input) {
    const text = input.toString("utf8");
    for (const shown of [plainLine(text), printable(text)]) {
      if (/[\x00-\x08\x0b-\x1f\x7f-\x9f]/.test(shown.replaceAll("\n", "")))
        throw new Error("a control character is shown");
    }
    const line = plainLine(text);
    if (displayWidth(cut(line, 20)) > 20) throw new Error("cut too late");
  },
};

const colorOnly = /\u001b\[[0-9;:]{0,64}m/g;
const control = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;

/** What a step prints: where its chunks are cut, then its bytes. */
export const output: FuzzTarget = {
  name: "output",
  sources: ["builder/base/terminal-lines.ts", "builder/cli/ci/disarm.ts"],
  tokens: [
    "\x1b[",
    "\x1b]52;c;",
    "\x1b]0;",
    "\x1bP",
    "\x1b\\",
    "\x07",
    "\xc2\x9b",
    "\x9b",
    "\u009d",
    "31m",
    "38;5;8m",
    "8m",
    "2J",
    "?1049h",
    "\r",
    "\n",
    "\r\n",
    "::",
    "add-mask",
    "##",
    "[",
    "vso[",
    "teamcity[",
    "section_start:",
    "\u200b",
    "\u0301",
    " ",
    "--- ",
    "é",
    "\u{1f600}",
  ],
  seeds: [
    "\x05x\r::add-mask::root",
    "\x02\x1b[31mred\x1b[0m\n",
    "\x03#\u200b#[group]a ##vso[b]",
    "\x01\x1b]0;title\x07\x1bP1$r\x1b\\x",
  ],
  check(input) {
    const data = input.subarray(1);
    const read = (size: number, longest?: number): string => {
      const lines = new TerminalLines(longest === undefined ? {} : { longest });
      let text = "";
      for (let at = 0; at < data.length; at += size)
        for (const line of lines.push(data.subarray(at, at + size))) text += `${line.text}\n`;
      return text + lines.end();
    };
    const whole = read(Math.max(1, data.length));
    same("in chunks", read(1 + (input[0] ?? 0)), whole);
    same("once more", terminalText(whole), whole);
    for (const shown of [whole, read(7, 5), terminalText(data.toString("latin1"))]) {
      if (control.test(shown.replaceAll(colorOnly, ""))) throw new Error("a control character is shown");
      const inert = disarmed(shown, "buildkite");
      same("disarmed once more", disarmed(inert, "buildkite"), inert);
      if (/##\[|##vso\[|##teamcity\[|section_(?:start|end):|^[^\S\n]*::[a-z-]+::|^(?:---|~~~) /m.test(inert))
        throw new Error("a service's command is shown");
    }
    const json = JSON.stringify(data.toString("utf8"));
    same("of JSON", JSON.parse(disarmedJson(json)), JSON.parse(json));
  },
};
