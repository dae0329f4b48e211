import type { CiService } from "./folding.ts";

/** Text whose lines no CI service takes for its own commands: what would be one has a space in it. */
export function disarmed(text: string, service?: CiService): string {
  const inert = suspect.test(text) ? broken(text, (char) => ` ${char}`).replace(patterns().leading, "$1 $2") : text;
  return service === "buildkite" ? inert.replace(header, "$1 ") : inert;
}

/** As disarmed(), for what stands in strings of JSON: the value is the same. */
export function disarmedJson(json: string): string {
  if (!suspect.test(json)) return json;
  return broken(json, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** What has none of it has no command, and the patterns, which take a millisecond to make, are not needed. */
const suspect = /#[^ \w]|:[^ \w]*:|section_|travis_/;

/** The headers of groups of Buildkite: other logs have such lines too, those of diff for example. */
const header = /^((?:\u001b\[[0-9;:]*m)*)(?=(?:---|\+\+\+|~~~|\^\^\^ \+\+\+)(?:\s|$))/gm;

function broken(text: string, shown: (char: string) => string): string {
  return text.replace(
    patterns().anywhere,
    (_, hash: string | undefined, second: string | undefined, word = "", colon = "") =>
      hash === undefined ? `${word}${shown(colon)}` : `${hash}${shown(second ?? "")}`,
  );
}

interface Patterns {
  /** Wherever in a line: GitHub and Azure, TeamCity, GitLab's sections, Travis's folds. The second group breaks it. */
  readonly anywhere: RegExp;
  /** GitHub's `::name parameters::text`, behind white space. */
  readonly leading: RegExp;
}
let made: Patterns | undefined;

/** @see ActionCommand of GitHub's runner, Command of Azure's agent */
function patterns(): Patterns {
  if (made !== undefined) return made;
  // What a comparison by culture does not see: the runners of GitHub and Azure compare so, and a marker with one of these
  // characters inside is a marker to them.
  const unseen = String.raw`\p{Cf}\p{M}\p{Default_Ignorable_Code_Point}\u0640\u07fa\u180a\u1cd3\ufe73`;
  const color = String.raw`\u001b\[[0-9;:]*m`;
  const gap = `(?:[${unseen}]|${color})*`;
  const blank = String.raw`(?:[${unseen}[\s--[\r\n\u2028\u2029]]]|${color})*`;
  const spelled = (word: string): string => [...word].join(gap);
  const marker = [String.raw`\[`, ...["vso", "teamcity"].map((word) => `${spelled(word)}${gap}\\[`)].join("|");
  made = {
    anywhere: new RegExp(`(#${gap})(#)(?=${gap}(?:${marker}))|(section_(?:start|end)|travis_(?:fold|time))(:)`, "giu"),
    leading: new RegExp(String.raw`^(${blank}:${gap})(:)(?=[^ \n][^\n]*?:${gap}:)`, "gmv"),
  };
  return made;
}
