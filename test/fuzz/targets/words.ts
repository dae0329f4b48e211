import { csvFields } from "../../../builder/base/csv.ts";
import { DeviceFlagError, parseDeviceFlag } from "../../../builder/dockerfile/device-flag.ts";
import { expandWord, expandWords, type ExpandOptions } from "../../../builder/dockerfile/expand.ts";
import { expandBody, findHeredocs } from "../../../builder/dockerfile/heredoc.ts";
import { mountFrom, MountFlagError, parseMountFlag } from "../../../builder/dockerfile/mount-flag.ts";
import { outcome, same } from "../rig/check.ts";
import type { FuzzTarget } from "../rig/target.ts";

const optionSets: readonly ExpandOptions[] = [
  { escape: "\\" },
  { escape: "`" },
  { escape: "\\", plainQuotes: true },
  { escape: "\\", keep: { quotes: true, escapes: true, unset: true } },
];

/** The word, then values of $a and $b, each after a NUL. */
export const words: FuzzTarget = {
  name: "words",
  sources: [
    "builder/dockerfile/expand.ts",
    "builder/dockerfile/shell-pattern.ts",
    "builder/dockerfile/shell-replace.ts",
  ],
  tokens: [
    "$",
    "${",
    "}",
    "$a",
    "${a",
    "${b",
    ":",
    ":-",
    ":+",
    ":?",
    "-",
    "+",
    "?",
    "#",
    "##",
    "%",
    "%%",
    "/",
    "//",
    "*",
    "?",
    "\\",
    '"',
    "'",
    "<<",
    "a",
    "b",
    "\0",
    "\0aaaa",
    " ",
    "\n",
  ],
  seeds: ["${a:-b}\0x\0y", "${a##*/}\0/usr/lib/x", "${a//b?/$0}\0abcabc", "\"${a:+$b}\" 'x'\0 1\0 2", "${x:?no}"],
  check(input) {
    const [raw = "", a = "", b = ""] = input.toString("utf8").split("\0");
    const env = new Map([
      ["a", a],
      ["b", b],
    ]);
    for (const options of optionSets) {
      const one = outcome(() => expandWord(raw, env, options));
      same("a second time", outcome(() => expandWord(raw, env, options)).value, one.value);
      const many = outcome(() => expandWords(raw, env, options));
      if ((one.error === undefined) !== (many.error === undefined)) throw new Error("a word, but no words");
      if (many.value?.some((word) => word === "") === true) throw new Error("an empty word");
    }
  },
};

/** The line of an instruction, then the body of a heredoc. */
export const heredocs: FuzzTarget = {
  name: "heredocs",
  sources: ["builder/dockerfile/heredoc.ts", "builder/dockerfile/expand.ts"],
  tokens: [
    "<<",
    "<<-",
    "<<E",
    "3<<E",
    "'E'",
    '"E"',
    "$a",
    "${",
    "}",
    " ",
    "\t",
    "\\",
    "'",
    '"',
    "<",
    "-",
    "E",
    "RUN ",
    "\0",
  ],
  seeds: ["RUN <<E <<-'F'", "COPY <<E <<F /d\0$x ${y:-z}", "RUN 3<<A cat"],
  check(input) {
    const [line = "", body = ""] = input.toString("utf8").split("\0");
    for (const { start, end, name } of findHeredocs(line)) {
      if (start < 0 || start > end || end > line.length || name === "") throw new Error(`a heredoc at ${start}-${end}`);
    }
    outcome(() => expandBody(body, new Map()));
  },
};

export const mounts: FuzzTarget = {
  name: "mounts",
  sources: [
    "builder/dockerfile/mount-flag.ts",
    "builder/base/csv.ts",
    "builder/dockerfile/device-flag.ts",
    "builder/base/byte-size.ts",
  ],
  tokens: [
    "type=",
    "bind",
    "cache",
    "tmpfs",
    "secret",
    "ssh",
    ",",
    "=",
    '"',
    '""',
    "target=/t",
    "dst=",
    "from=a",
    "source=",
    "id=x",
    "ro",
    "rw=true",
    "required",
    "size=1g",
    "mode=0755",
    "uid=0",
    "env=E",
    "sharing=locked",
    "name=",
    "a.b/c=d",
  ],
  seeds: [
    "type=cache,target=/c,sharing=locked,mode=0700,uid=1",
    'type=bind,"from=a,b",source=/x,rw',
    "type=secret,id=s,env=S,required",
    "vendor.com/class=name,required=false",
  ],
  check(input) {
    const text = input.toString("utf8");
    const flag = outcome(() => parseMountFlag(text, (value) => value), MountFlagError);
    outcome(() => parseDeviceFlag(text), DeviceFlagError);
    const fields = csvFields(text);
    if (typeof fields === "string") return void (flag.value === undefined || same("read", flag.value, undefined));
    same(
      "csv written and read",
      csvFields(fields.map((field) => `"${field.replaceAll('"', '""')}"`).join(",")),
      fields,
    );
    const from = mountFrom(text);
    if (flag.value !== undefined) same("from", flag.value.from, from);
  },
};
