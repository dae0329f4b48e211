import type { StepRule } from "../rule.ts";

const archive = /\.(?:tar(?:\.\w+)?|t[bgx]z2?|tbz|tlz|taz|tzst|gz|bz2|xz|zst|lzma|lz4?|z)$/i;
const remote = /^(?:\w+:\/\/|git@)/;
/** Flags for what COPY cannot do. */
const special: ReadonlySet<string> = new Set(["checksum", "unpack", "keep-git-dir"]);

export const addForCopy: StepRule<"ADD"> = {
  kind: "step",
  on: ["ADD"],
  name: "tsbuild/AddForCopy",
  description: "ADD should be for archives, URLs and repositories",
  examples: () => ({
    bad: "FROM scratch\nADD server.js /app/",
    line: 2,
    message: 'ADD does with "server.js" what COPY does',
    good: "FROM scratch\nCOPY server.js /app/",
  }),
  check: ({ instruction, expand }) => {
    const { flags, sources, location, keyword } = instruction;
    const [first] = sources;
    if (first === undefined || flags.some(({ name }) => special.has(name))) return [];
    const names = sources.map(({ raw }) => expand(raw));
    if (!names.every((name) => name !== undefined && isPlain(name))) return [];
    const message = `ADD does with ${JSON.stringify(names[0])} what COPY does`;
    const hint = "write COPY: ADD unpacks what looks like an archive, and COPY never does";
    return [{ message, location, at: keyword, hint }];
  },
};

/** No URL and no archive. A pattern must say how its files end. */
function isPlain(source: string): boolean {
  if (source === "" || remote.test(source) || archive.test(source)) return false;
  return !/[*?[]/.test(source) || /\.\w+$/.test(source);
}
