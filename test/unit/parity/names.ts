import { over, type PlanCases } from "./plan-case.ts";

const run = (text: string): string => over(`ARG A=hello B\nENV C="a b" E=\n${text}`);

/** What steps are called: the instruction as written, with the variables that it sees. */
export const names: PlanCases = {
  "RUN with variables": run("RUN echo $A ${A} $C $E."),
  "RUN with what the shell reads": run("RUN echo $HOME $B ${B} ${B:-x} ${Z#a} ${Z%%a} ${Z/a/b} $(date) $$ $? $1 `id`"),
  "RUN with operators": run("RUN echo ${A:-x} ${A:+y} ${A#h} ${A%%o} ${A/l/L} ${A//l/L} ${E:-x} ${E-x}"),
  "RUN with operators of a shell alone": run("RUN echo $A ${A:1:2} ${#A}"),
  "RUN with quotes": run('RUN echo \'$A\' "$A" "it\'s $A"'),
  "RUN with an open quote": run("RUN echo it's $A"),
  "RUN with an escaped sign": { text: run("RUN echo \\$A $A \\\\"), names: ["[] RUN echo \\$A hello \\\\"] },
  "RUN with another escape": "# escape=`\nFROM busybox:1\nARG A=hello\nRUN echo \\$A",
  "RUN of several lines": run("RUN echo $A \\\n  # no\n  && echo \\\n\t$C"),
  "RUN in an array": run('RUN ["echo", "$A"]'),
  "RUN with a given value": { text: run("RUN echo $A"), args: { A: "given" } },
  "RUN with flags": run("RUN   --network=none   --mount=type=cache,target=/$A  echo   $A"),
  "RUN with a secret": run(
    "RUN --mount=type=secret,id=t,env=TOKEN --mount=type=secret,id=a,env=A --mount=type=secret,id=f echo $TOKEN $A $f",
  ),
  "RUN with a secret of a variable's name": run("RUN --mount=type=secret,id=t,env=$A echo $hello"),
  "RUN with the base's PATH": run("RUN echo $PATH $BASE"),
  "RUN with a script": run("RUN <<EOF\necho $A\necho $C\nEOF"),
  "RUN with a script and variables": run("RUN <<EOF\n  \n  echo $A $Z  \nEOF"),
  "RUN in small letters": run("run echo $A"),
  "COPY with variables": run("COPY $A ${C} $B /$A/"),
  "COPY with quotes": run("COPY  \"x\"  '$A'   /z\\z/"),
  "COPY in an array": run('COPY ["$A", "b c", "/d/"]'),
  "COPY in small letters": run("copy --chown=$A:1 --link=false f /$A"),
  "COPY with a heredoc": run("COPY <<a <<'b' /$A/\n1\na\n2\nb"),
  "COPY with an unset variable": run("COPY f$Z /x"),
  "ADD with flags": run("ADD --unpack=true --chmod=0644 f.tar /$A"),
  "WORKDIR with variables": run("WORKDIR   /$A/${C}"),
  "WORKDIR with quotes": run('workdir "/x y"'),
};
