import fc from "fast-check";

/** Pieces of Dockerfiles. */
export const dockerfileTokens: readonly string[] = [
  ..."FROM RUN CMD COPY ADD ARG ENV LABEL EXPOSE VOLUME USER WORKDIR SHELL ENTRYPOINT HEALTHCHECK STOPSIGNAL ONBUILD MAINTAINER NONE AS"
    .split(" ")
    .map((word) => `${word} `),
  "\n",
  "\r\n",
  "\\\n",
  "`\n",
  "\\",
  "# syntax=docker/dockerfile:1\n",
  "# escape=`\n",
  "# check=skip=all\n",
  "# check=error=true\n",
  "#",
  "# comment\n",
  "# cache=12h\n",
  "#!/bin/sh\n",
  "scratch",
  "alpine",
  "a",
  "b",
  "--",
  "--from=a ",
  "--mount=type=cache,target=/c ",
  "--mount=type=secret,id=s ",
  "--mount=",
  "--network=none ",
  "--security=insecure ",
  "--device=a.b/c=d ",
  "--chmod=u+x ",
  "--chown=1:2 ",
  "--link ",
  "--parents ",
  "--exclude=*.md ",
  "--checksum=sha256:",
  "--platform=$BUILDPLATFORM ",
  "--interval=1s ",
  "--constructor=x ",
  "--__proto__ ",
  "<<EOF",
  "<<-'E'",
  "\nEOF\n",
  "\tE\n",
  "3<<X",
  '["a", "b"]',
  "[1]",
  "[",
  "]",
  '"',
  "'",
  "$",
  "${",
  "}",
  "${a:-b}",
  "${a:+",
  "${a#",
  "${a//",
  "$a",
  ":?",
  "=",
  "a=b ",
  "A=$A ",
  "80/tcp ",
  "8000-9000 ",
  "/bin/sh",
  "-c",
  "echo",
  "*",
  "**/",
  "?",
  "[a-z]",
  "http://h/x ",
  "git@h:x.git ",
  ",",
  "type=",
  " ",
  "\t",
];

export const dockerfileSeeds: readonly string[] = [
  "FROM scratch\n",
  "# syntax=docker/dockerfile:1\nARG V=1\nFROM alpine:$V AS b\nRUN --mount=type=cache,target=/x,sharing=locked echo a \\\n  && b\nFROM scratch\nCOPY --from=b --chown=1:1 /a /b\n",
  "FROM a\nRUN <<A <<-B\nfoo\nA\n\tbar\n\tB\nCOPY <<X <<Y /d/\n$x\nX\nY\n",
  'FROM a\nENV a=b c="d e" f=\\ g\nLABEL x=y\nEXPOSE 80 90-91/udp\nVOLUME ["/a"]\nHEALTHCHECK --interval=1s CMD a\nSHELL ["/bin/sh","-c"]\nCMD a\nENTRYPOINT ["b"]\nUSER a:b\nSTOPSIGNAL TERM\nWORKDIR a\nONBUILD RUN x\nMAINTAINER m\n',
  "# escape=`\nFROM a\nRUN a `\n b\n",
];

const word = fc.oneof(
  fc.constantFrom("a", "/b", "$a", "${a:-b}", '"q r"', "'s'", "a\\ b", "*.c"),
  fc.string({ maxLength: 6 }),
);
const space = fc.constantFrom(" ", "\t", "  ", " \\\n ", " \\\n# comment\n\n ");
const pair = fc.tuple(fc.constantFrom("a", "b_c", "D.e", "constructor"), word).map(([key, value]) => `${key}=${value}`);
const list = fc.array(word, { minLength: 1, maxLength: 4 });

function line(name: string, args: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.tuple(fc.constantFrom(name, name.toLowerCase()), space, args).map((parts) => parts.join(""));
}

const exec = fc.array(fc.string({ maxLength: 5 }), { maxLength: 3 }).map((all) => JSON.stringify(all));
const command = fc.oneof(
  exec,
  list.map((all) => all.join(" ")),
);
const mount = fc
  .array(
    fc.constantFrom(
      "type=bind",
      "type=cache",
      "type=secret",
      "type=ssh",
      "type=tmpfs",
      "target=/t",
      "id=i",
      "from=b",
      "source=/s",
      "ro",
      "rw",
      "uid=1",
      "mode=0700",
      "size=1m",
      "required",
      "sharing=private",
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((all) => `--mount=${all.join(",")} `);
const copyFlags = fc
  .array(
    fc.constantFrom("--from=b ", "--from=0 ", "--chown=1:2 ", "--chmod=644 ", "--link ", "--parents ", "--exclude=x "),
    { maxLength: 3 },
  )
  .map((all) => all.join(""));
const heredoc = fc
  .tuple(
    fc.constantFrom("<<E", "<<-E", "<<'E'", '<<"E"', "3<<E"),
    fc.array(fc.constantFrom("x", "$a", "\tt", "E ", ""), { maxLength: 3 }),
  )
  .map(([start, body]) => `${start} /d\n${[...body, "E"].join("\n")}`);

const instruction: fc.Arbitrary<string> = fc.oneof(
  line(
    "FROM",
    fc
      .tuple(fc.constantFrom("scratch", "alpine", "b", "$a"), fc.constantFrom("", " AS b", " as C"))
      .map((all) => all.join("")),
  ),
  line(
    "RUN",
    fc.tuple(fc.oneof(fc.constant(""), mount), command).map((all) => all.join("")),
  ),
  line("RUN", heredoc),
  line(
    "COPY",
    fc.tuple(copyFlags, list).map(([flags, words]) => `${flags}${words.join(" ")} /d/`),
  ),
  line("COPY", heredoc),
  line(
    "ADD",
    fc.tuple(copyFlags, list).map(([flags, words]) => `${flags}${words.join(" ")} /d/`),
  ),
  line(
    "ENV",
    fc.array(pair, { minLength: 1, maxLength: 3 }).map((all) => all.join(" ")),
  ),
  line("ARG", fc.oneof(fc.constantFrom("a", "b"), pair)),
  line(
    "LABEL",
    fc.array(pair, { minLength: 1, maxLength: 2 }).map((all) => all.join(" ")),
  ),
  line("EXPOSE", fc.constantFrom("80", "80/tcp", "1-3/udp", "$a", "x", "99999", "3-1")),
  ...["CMD", "ENTRYPOINT", "SHELL", "VOLUME"].map((name) => line(name, command)),
  ...["USER", "WORKDIR", "STOPSIGNAL", "MAINTAINER"].map((name) => line(name, word)),
  line(
    "HEALTHCHECK",
    fc.oneof(
      fc.constant("NONE"),
      command.map((text) => `--interval=1m --retries=3 CMD ${text}`),
    ),
  ),
  line(
    "ONBUILD",
    fc.oneof(
      command.map((text) => `RUN ${text}`),
      fc.constant("COPY <<E /x\ny\nE"),
    ),
  ),
);

/** Dockerfiles that are nearly right. */
export const dockerfiles: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom("", "# syntax=docker/dockerfile:1\n", "# escape=`\n", "ARG a=1\n", "# check=skip=none\n"),
    fc.constantFrom("FROM scratch\n", "FROM alpine AS b\n", "from a\n", ""),
    fc.array(instruction, { maxLength: 8 }),
    fc.constantFrom("\n", "\r\n"),
  )
  .map(([head, from, rest, end]) => head + from + rest.map((one) => one + end).join(""));
