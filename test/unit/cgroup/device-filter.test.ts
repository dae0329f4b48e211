import { describe, expect, it } from "vitest";
import { deviceProgramV2, deviceRulesV1, openDevices, type DeviceRule } from "../../../runtime/cgroup/device-filter.ts";

interface Access {
  readonly type: "b" | "c";
  readonly major: number;
  readonly minor: number;
  /** Of mknod 1, read 2, write 4. */
  readonly access: number;
}

/** Runs the program as the kernel does; only the instructions that it is made of. @see linux/bpf.h */
function evaluate(program: Buffer, { type, major, minor, access }: Access): boolean {
  const context = Buffer.alloc(12);
  context.writeUInt32LE((type === "b" ? 1 : 2) | (access << 16), 0);
  context.writeUInt32LE(major, 4);
  context.writeUInt32LE(minor, 8);
  const registers = new Uint32Array(11);
  for (let at = 0; at < program.length; at += 8) {
    const code = program.readUInt8(at);
    const target = program.readUInt8(at + 1) & 0xf;
    const source = program.readUInt8(at + 1) >> 4;
    const offset = program.readInt16LE(at + 2);
    const k = program.readInt32LE(at + 4);
    const value = registers[target] ?? 0;
    if (code === 0x61) registers[target] = context.readUInt32LE(offset);
    else if (code === 0xb7) registers[target] = k;
    else if (code === 0xbf) registers[target] = registers[source] ?? 0;
    else if (code === 0x57) registers[target] = value & k;
    else if (code === 0x77) registers[target] = value >>> k;
    else if (code === 0x15) at += value === k >>> 0 ? 8 * offset : 0;
    else if (code === 0x55) at += value === k >>> 0 ? 0 : 8 * offset;
    else if (code === 0x95) return registers[0] === 1;
    else throw new Error(`instruction ${code.toString(16)} at ${at / 8}`);
  }
  throw new Error("the program runs past its end");
}

/** The same by the lines of v1. */
function allowedByLines(rules: readonly DeviceRule[], { type, major, minor, access }: Access): boolean {
  return deviceRulesV1(rules).some((line) => {
    const [kind, numbers = "", letters = ""] = line.split(" ");
    const [wantedMajor, wantedMinor] = numbers.split(":");
    const has = (letter: string, bit: number): boolean => (access & bit) === 0 || letters.includes(letter);
    return (
      kind === type &&
      (wantedMajor === "*" || Number(wantedMajor) === major) &&
      (wantedMinor === "*" || Number(wantedMinor) === minor) &&
      has("m", 1) &&
      has("r", 2) &&
      has("w", 4)
    );
  });
}

const rules: readonly DeviceRule[] = [
  { kind: "char", major: 10, minor: 229, read: true, write: true },
  { kind: "block", major: 7, minor: 1, read: true, write: false },
  { kind: "char", major: 240, minor: 0xfffff, read: false, write: true },
];

describe("deviceProgramV2()", () => {
  it.each([
    ["nothing", []],
    ["three devices", rules],
  ])("with %s beside what all may open decides as the lines of v1 do", (_, given) => {
    const program = deviceProgramV2(given);
    const majors = [...openDevices.map(([major]) => major), 7, 8, 10, 240, 0];
    const minors = [...openDevices.flatMap(([, minor]) => (minor === "*" ? [7] : [minor])), 1, 229, 0xfffff, 4];
    let opened = 0;
    for (const type of ["b", "c"] as const) {
      for (const major of majors) {
        for (const minor of minors) {
          for (let access = 1; access < 8; access++) {
            const asked = { type, major, minor, access };
            const allowed = evaluate(program, asked);
            // The kernel asks for making a node alone.
            if ((access & 1) === 0 || access === 1)
              expect({ asked, allowed }).toEqual({ asked, allowed: allowedByLines(given, asked) });
            if (allowed) opened++;
          }
        }
      }
    }
    expect(opened).toBeGreaterThan(0);
  });
});
