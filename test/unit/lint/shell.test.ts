import { describe, expect, it } from "vitest";
import { splitShell } from "../../../builder/lint/shell/split.ts";

/** Each command as `env|name args next`. */
function split(text: string): readonly string[] {
  return splitShell(text).map(({ env, words, next }) => {
    const texts = (list: typeof words): string => list.map((word) => `<${word.text}>`).join("");
    return `${env.length > 0 ? `${texts(env)}|` : ""}${texts(words)}${next === "\n" ? "\\n" : next}`;
  });
}

describe("splitShell()", () => {
  it.each([
    ["a b  c", ["<a><b><c>"]],
    ["a&&b||c;d|e|&f&g", ["<a>&&", "<b>||", "<c>;", "<d>|", "<e>|&", "<f>&", "<g>"]],
    ["a 'b c' \"d e\" f\\ g h\\'i", ["<a><b c><d e><f g><h'i>"]],
    [`a "b \\"c\\" \\d" 'e\\'`, ['<a><b "c" \\d><e\\>']],
    ["a=1 b+=2 c d=3", ["<a=1><b+=2>|<c><d=3>"]],
    ["A=1 B=2", ["<A=1><B=2>|"]],
    ["a >b 2>&1 <c &>d >>e x", ["<a><x>"]],
    ["a2>b", ["<a2>"]],
    ["a $(b; c | d ')') e", ["<a><$(b; c | d ')')><e>"]],
    ['a "$(b "c; d")" e', ['<a><$(b "c; d")><e>']],
    ["a ${b:-c;d} $((1+(2))) `e;f`", ["<a><${b:-c;d}><$((1+(2)))><`e;f`>"]],
    ["(cd a && b) | c", ["<cd><a>&&", "<b>)", "<c>"]],
    ["if a; then b; else c; fi", ["<a>;", "<b>;", "<c>;", "<fi>"]],
    ["while ! a; do b; done", ["<a>;", "<b>;", "<done>"]],
    ["{ a; b; } 2>/dev/null", ["<a>;", "<b>;", "<}>"]],
    ["a # b; c\nd#e", ["<a>\\n", "<d#e>"]],
    ["a \\\n  b\\\nc", ["<a><bc>"]],
    ["cat <<E >f; a\nb; c\nE\nd", ["<cat>;", "<a>\\n", "<d>"]],
    ["cat <<-'E'\n\tb\n\tE\nd", ["<cat>\\n", "<d>"]],
    ["cat <<E\nb", ["<cat>\\n"]],
    ["a 'b; c", ["<a><b; c>"]],
    ["a $(b", ["<a><$(b>"]],
    ["", []],
    [" ;; & ", []],
    ["a\u00a0b", ["<a><b>"]],
  ])("%j", (text, expected) => {
    expect(split(text)).toEqual(expected);
  });

  it("says where words are", () => {
    const text = `a "b c"  d'e'`;
    const places = splitShell(text)[0]?.words.map(({ start, end }) => text.slice(start, end));
    expect(places).toEqual(["a", '"b c"', "d'e'"]);
  });

  // Were it quadratic, each would take minutes.
  it.each(["$(", "${", '"$(', "`", "'", "(", "a;", "a<<b\n", "a=1 ", "\\\n", "#", "1>", "! "])(
    "reads a long text of %j",
    (part) => {
      expect(splitShell(part.repeat(100_000)).length).toBeLessThanOrEqual(100_000);
    },
  );
});
