import { describe, expect, it } from "vitest";
import { reachable } from "../../../builder/graph/vertex.ts";
import { planText } from "../../rig/plan.ts";

const count = 20_000;

/** A line for each number from 1 on. */
function lines(line: (number: number) => string): string {
  return Array.from({ length: count }, (_, at) => line(at + 1)).join("\n");
}

/** What has so many parts, and how many vertices it becomes. */
const files: readonly (readonly [string, string, number])[] = [
  ["steps", `FROM scratch\n${lines((one) => `WORKDIR /a${one % 2}`)}`, count + 1],
  [
    "stages on each other",
    `FROM scratch AS s0\n${lines((one) => `FROM s${one - 1} AS s${one}\nWORKDIR /a`)}`,
    count + 1,
  ],
  [
    "stages that copy",
    `FROM scratch AS s0\n${lines((one) => `FROM scratch AS s${one}\nCOPY --from=s${one - 1} / /`)}`,
    count + 1,
  ],
  [
    "stages that one needs",
    `${lines((one) => `FROM scratch AS s${one}\nWORKDIR /`)}\nFROM scratch\n${lines((one) => `COPY --from=s${one} / /`)}`,
    1,
  ],
  ["labels", `FROM scratch\n${lines((one) => `LABEL l${one}=1`)}`, 1],
];

describe("a Dockerfile of 20,000", () => {
  it.each(files)("%s is converted", async (_name, text, least) => {
    const { target } = await planText({ text });
    expect(reachable(target).length).toBeGreaterThanOrEqual(least);
  });

  it("nested variables is refused at its place", async () => {
    const word = `${"${a:-".repeat(count)}x${"}".repeat(count)}`;
    for (const text of [`FROM scratch\nENV A=${word}`, `ARG A=${word}\nFROM scratch`, `FROM ${word}`])
      await expect(planText({ text })).rejects.toMatchObject({ code: "E_EXPAND" });
  });
});

it("entries of a map of the config belong to the stage that has them", async () => {
  const text = "FROM scratch AS a\nLABEL a=1 __proto__=2\nFROM a AS b\nLABEL b=1\nVOLUME /v\nFROM a\nLABEL c=1";
  const { image } = await planText({ text });
  expect(JSON.stringify(image.config?.Labels)).toBe('{"a":"1","__proto__":"2","c":"1"}');
  expect(image.config?.Volumes).toBeUndefined();
});

it.each([
  ["ARG TARGET=linux/amd64\nFROM --platform=$TARGT scratch", "did you mean $TARGET?"],
  ["ARG BASE=alpine\nFROM $BAS", "did you mean $BASE?"],
])("names the variable that was meant: %s", async (text, hint) => {
  await expect(planText({ text })).rejects.toMatchObject({ hint });
});
