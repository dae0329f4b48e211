import { closeSync, constants, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { attachDeviceFilter } from "../../native/bpf.ts";

/** A device that a container may open beside those that every one may. */
export interface DeviceRule {
  readonly kind: "char" | "block";
  readonly major: number;
  readonly minor: number;
  readonly read: boolean;
  readonly write: boolean;
}

/** Character devices that every container may open, as major:minor; `*` is every minor. Docker's list without tun. */
export const openDevices: readonly (readonly [major: number, minor: number | "*"])[] = [
  [1, 3], // null
  [1, 5], // zero
  [1, 7], // full
  [1, 8], // random
  [1, 9], // urandom
  [5, 0], // tty
  [5, 2], // ptmx
  [136, "*"], // pts
];

/** Lines for devices.allow of a v1 group after "a" was denied: any node may be made, few may be opened. */
export function deviceRulesV1(rules: readonly DeviceRule[]): readonly string[] {
  return [
    "c *:* m",
    "b *:* m",
    ...openDevices.map(([major, minor]) => `c ${major}:${minor} rwm`),
    ...rules.map(
      ({ kind, major, minor, read, write }) =>
        `${kind === "char" ? "c" : "b"} ${major}:${minor} ${read ? "r" : ""}${write ? "w" : ""}m`,
    ),
  ];
}

const LDX_W = 0x61;
const MOV_K = 0xb7;
const MOV_X = 0xbf;
const AND_K = 0x57;
const RSH_K = 0x77;
const JEQ_K = 0x15;
const JNE_K = 0x55;
const EXIT = 0x95;
const deviceTypes = { block: 1, char: 2 } as const;
const access = { mknod: 1, read: 2, write: 4 } as const;

/** Puts the rules on a v2 group. @throws SyscallError */
export function filterGroupV2(group: string, rules: readonly DeviceRule[]): void {
  const fd = openSync(group, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    attachDeviceFilter(fd, deviceProgramV2(rules));
  } finally {
    closeSync(fd);
  }
}

/** Puts the rules on a group of v1's devices controller. @throws an Error of node:fs */
export function filterGroupV1(group: string, rules: readonly DeviceRule[]): void {
  writeFileSync(join(group, "devices.deny"), "a");
  for (const rule of deviceRulesV1(rules)) writeFileSync(join(group, "devices.allow"), rule);
}

const register = { result: 0, context: 1, access: 2, type: 3, major: 4, minor: 5, scratch: 6 } as const;
const deny = [instruction(MOV_K, register.result, 0), instruction(EXIT)];
const allow = [instruction(MOV_K, register.result, 1), instruction(EXIT)];

/** The same rules as an eBPF program over struct bpf_cgroup_dev_ctx. @see linux/bpf.h */
export function deviceProgramV2(rules: readonly DeviceRule[]): Buffer {
  const { context, type, major, minor } = register;
  return Buffer.concat([
    instruction(LDX_W, register.access, 0, { source: context, skip: 0 }),
    instruction(LDX_W, major, 0, { source: context, skip: 4 }),
    instruction(LDX_W, minor, 0, { source: context, skip: 8 }),
    instruction(MOV_X, type, 0, { source: register.access }),
    instruction(AND_K, type, 0xffff),
    instruction(RSH_K, register.access, 16),
    instruction(JNE_K, register.access, access.mknod, { skip: 2 }),
    ...allow,
    ...rules.flatMap(ruleProgram),
    instruction(JEQ_K, type, deviceTypes.char, { skip: 2 }),
    ...deny,
    ...openDevices.flatMap(([wantedMajor, wantedMinor]) =>
      wantedMinor === "*"
        ? [instruction(JNE_K, major, wantedMajor, { skip: 2 }), ...allow]
        : [
            instruction(JNE_K, major, wantedMajor, { skip: 3 }),
            instruction(JNE_K, minor, wantedMinor, { skip: 2 }),
            ...allow,
          ],
    ),
    ...deny,
  ]);
}

/** Goes on behind itself unless it is the device and nothing is asked for that the rule has not got. */
function ruleProgram({ kind, major, minor, read, write }: DeviceRule): readonly Buffer[] {
  const refused = (read ? 0 : access.read) | (write ? 0 : access.write);
  return [
    instruction(JNE_K, register.type, deviceTypes[kind], { skip: 7 }),
    instruction(JNE_K, register.major, major, { skip: 6 }),
    instruction(JNE_K, register.minor, minor, { skip: 5 }),
    instruction(MOV_X, register.scratch, 0, { source: register.access }),
    instruction(AND_K, register.scratch, refused),
    instruction(JNE_K, register.scratch, 0, { skip: 2 }),
    ...allow,
  ];
}

/** struct bpf_insn. `skip` is its offset field: of a jump in instructions, of a load in bytes. */
function instruction(code: number, target = 0, k = 0, more: { source?: number; skip?: number } = {}): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt8(code, 0);
  bytes.writeUInt8(target | ((more.source ?? 0) << 4), 1);
  bytes.writeInt16LE(more.skip ?? 0, 2);
  bytes.writeInt32LE(k, 4);
  return bytes;
}
