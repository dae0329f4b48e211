import { describe, expect, it } from "vitest";
import { TerminalLines, terminalText, withoutColors } from "../../builder/base/terminal-lines.ts";

const esc = "\u001b";

describe("terminalText()", () => {
  it.each([
    ["text", "a\tb é 漢 😀", "a\tb é 漢 😀"],
    ["colours", `${esc}[1;38;5;208mx${esc}[0m ${esc}[38:2::1:2:3my${esc}[m`, undefined],
    ["a colour that nothing ends", `${esc}[31mred\nplain`, `${esc}[31mred${esc}[0m\nplain`],
    ["the clipboard (OSC 52)", `a${esc}]52;c;aGk=\u0007b`, "ab"],
    ["a title, ended by ST", `a${esc}]0;PWN${esc}\\b`, "ab"],
    ["a link", `${esc}]8;;http://x${esc}\\text${esc}]8;;${esc}\\`, "text"],
    ["a string that nothing ends, to the end of its line", `a${esc}]0;b\nc`, "a\nc"],
    ["DCS, APC, PM, SOS", `${esc}Pq${esc}\\a${esc}_G${esc}\\b${esc}^x${esc}\\c${esc}Xx${esc}\\d`, "abcd"],
    ["the alternate screen, clear, cursor", `${esc}[?1049h${esc}[2J${esc}[H${esc}[10;10Ha${esc}[3A${esc}7${esc}c`, "a"],
    ["character sets", `${esc}(0a${esc}(B`, "a"],
    ["modes that end with m", `a${esc}[>4;1mb${esc}[?4mc${esc}[1 md`, "abcd"],
    ["too many or too long numbers", `a${esc}[1234mb${esc}[${"1;".repeat(40)}1mc`, "abc"],
    ["what is concealed", `a${esc}[8mb${esc}[0;8;1mc${esc}[38;5;1;8md${esc}[38:5;8me`, "abcde"],
    ["a colour with number 8", `${esc}[38;5;8mb${esc}[48;2;8;8;8mc${esc}[0m`, undefined],
    ["C1 controls", `a\u009b31mb\u009d0;x\u009cc\u0090q\u009cd\u0085e\u0084f`, `a${esc}[31mbcdef${esc}[0m`],
    ["BEL, BS, DEL, NUL, VT, FF", "a\u0007\b\u007f\0\v\fb", "ab"],
    ["a sequence that a character of no sequence ends", `a${esc}[3é${esc}[1\u0007b`, "aéb"],
    ["a sequence that another cuts off", `a${esc}[3${esc}[31mb${esc}[0m`, `a${esc}[31mb${esc}[0m`],
    ["lone carriage returns", "10%\r20%\r\n30%\r\rx\r", "10%\n20%\n30%\nx"],
    ["a carriage return in front of a line", "\r 10%\r\n", " 10%\n"],
    ["empty lines", "\n\na\r\n\r\n", "\n\na\n\n"],
  ])("%s", (_, text, shown = text) => {
    expect(terminalText(text)).toBe(shown);
    expect(terminalText(shown)).toBe(shown);
  });

  it.each([
    ["a C1 byte of Latin-1", Buffer.from([0x61, 0x9b, 0x32, 0x4a, 0x62]), "a\ufffd2Jb"],
    ["a C1 character of UTF-8", Buffer.from([0x61, 0xc2, 0x9b, 0x32, 0x4a, 0x62]), "ab"],
  ])("%s", (_, data, shown) => {
    const lines = new TerminalLines();
    expect([...lines.push(data)]).toEqual([]);
    expect(lines.end()).toBe(shown);
  });
});

describe("TerminalLines", () => {
  const text = `a${esc}[31mré${esc}[0m\r\n${esc}]52;c;aGk=\u0007b\r50%\r\u009b2Jc\n${esc}P1$r\u0007${esc}\\d`;

  it("does not depend on where chunks are cut", () => {
    const data = Buffer.from(text);
    const all = new TerminalLines();
    const whole = [...all.push(data), all.end()];
    expect(whole).toEqual([
      { text: `a${esc}[31mré${esc}[0m`, returned: false },
      { text: "b", returned: true },
      { text: "50%", returned: true },
      { text: "c", returned: false },
      "d",
    ]);
    for (let first = 0; first <= data.length; first++) {
      for (let second = first; second <= data.length; second++) {
        const lines = new TerminalLines();
        const parts = [data.subarray(0, first), data.subarray(first, second), data.subarray(second)];
        expect([...parts.flatMap((part) => lines.push(part)), lines.end()]).toEqual(whole);
      }
    }
  });

  it("cuts a line that does not end, and keeps no more of it", () => {
    const lines = new TerminalLines({ longest: 4 });
    expect(lines.push(`${esc}[31mabcdefghij`).map((line) => line.text)).toEqual([
      `${esc}[31m${esc}[0m`,
      "abcd",
      "efgh",
    ]);
    expect(lines.end()).toBe("ij");
  });
});

describe("withoutColors()", () => {
  it("leaves the text", () => expect(withoutColors(`${esc}[1;31ma${esc}[mb${esc}[38:2::1:2:3mc`)).toBe("abc"));
});
