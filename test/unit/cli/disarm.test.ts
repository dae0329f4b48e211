import { describe, expect, it } from "vitest";
import { disarmed } from "../../../builder/cli/ci/disarm.ts";
import { jsonText } from "../../../builder/cli/format/json.ts";

/** As GitHub's runner compares: what has no weight in a language is not seen. */
const seen = (text: string): string =>
  [...text].filter((char) => new Intl.Collator("en").compare(`#${char}#`, "##") !== 0).join("");

describe("disarmed()", () => {
  it.each([
    ["GitHub", "::add-mask::root", ": :add-mask::root"],
    ["GitHub, behind white space", " \t::error file=a,line=1::b\n\u00a0::stop-commands::t", undefined],
    ["GitHub, a line below", "x\n::group::y\n", "x\n: :group::y\n"],
    ["GitHub's older form, anywhere", "a ##[add-mask]b", "a # #[add-mask]b"],
    ["what the runner does not see inside", "#\u200b#[add-mask]b \u00ad::\u0301add-mask:\u200d:c", undefined],
    ["in colours", "\u001b[31m::add-mask::b", "\u001b[31m: :add-mask::b"],
    ["Azure", "x ##vso[task.setvariable variable=A]b ##VSO[x]", "x # #vso[task.setvariable variable=A]b # #VSO[x]"],
    ["TeamCity", "##teamcity[buildProblem description='x']", "# #teamcity[buildProblem description='x']"],
    ["GitLab", "section_start:1:a[collapsed=true]", "section_start :1:a[collapsed=true]"],
    ["Travis", "travis_fold:start:a travis_time:end:b", "travis_fold :start:a travis_time :end:b"],
  ])("%s", (_, text, shown) => {
    if (shown !== undefined) expect(disarmed(text)).toBe(shown);
    const obeyed = /##(?:\[|vso\[|teamcity\[)|section_(?:start|end):|travis_(?:fold|time):/i;
    expect(seen(disarmed(text))).not.toMatch(obeyed);
    for (const line of disarmed(text).split("\n")) expect(seen(line).trimStart().startsWith("::")).toBe(false);
  });

  it.each([
    "# heading",
    "## heading",
    "#1 DONE 0.1s",
    "::1 localhost",
    "::",
    "a::b::c",
    "--- a/file",
    "std::vector:: x",
  ])("leaves %s as it is", (text) => expect(disarmed(text)).toBe(text));

  it.each(["--- a", "+++ a", "~~~", "^^^ +++", "\u001b[31m--- a"])(
    "keeps %j from being a group of Buildkite",
    (text) => {
      expect(disarmed(`x\n${text}\n`, "buildkite")).toMatch(/^x\n(?:\u001b\[31m)? [-+~^]/);
      expect(disarmed("---- a", "buildkite")).toBe("---- a");
    },
  );
});

describe("jsonText()", () => {
  it.each(["##[group]x", "#\u200b#vso[a]", "section_end:1:x", "\u009b31m\u007f\u202e\u2028", "\u001b]0;x\u0007"])(
    "has %j in a form that nobody obeys, and is read as the same value",
    (text) => {
      const json = jsonText({ [text]: [text] }, 2);
      expect(JSON.parse(json)).toEqual({ [text]: [text] });
      expect(json).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e]|##|section_end:/);
      expect(disarmed(json)).toBe(json);
    },
  );

  it("has null for what JSON cannot say", () => expect(jsonText(undefined)).toBe("null"));
});
