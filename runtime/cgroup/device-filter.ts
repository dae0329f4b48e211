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
export const deviceRulesV1: readonly string[] = [
  "c *:* m",
  "b *:* m",
  ...openDevices.map(([major, minor]) => `c ${major}:${minor} rwm`),
];

const LDX_W = 0x61;
const MOV_K = 0xb7;
const MOV_X = 0xbf;
const AND_K = 0x57;
const RSH_K = 0x77;
const JEQ_K = 0x15;
const JNE_K = 0x55;
const EXIT = 0x95;
const charDevice = 2;
const accessMknod = 1;

/** The same rules as an eBPF program over struct bpf_cgroup_dev_ctx. @see linux/bpf.h */
export function deviceProgramV2(): Buffer {
  const [result, context, access, type, major, minor] = [0, 1, 2, 3, 4, 5] as const;
  const deny = [instruction(MOV_K, result, 0), instruction(EXIT)];
  const allow = [instruction(MOV_K, result, 1), instruction(EXIT)];
  const rules = openDevices.flatMap(([wantedMajor, wantedMinor]) =>
    wantedMinor === "*"
      ? [instruction(JNE_K, major, wantedMajor, { skip: 2 }), ...allow]
      : [
          instruction(JNE_K, major, wantedMajor, { skip: 3 }),
          instruction(JNE_K, minor, wantedMinor, { skip: 2 }),
          ...allow,
        ],
  );
  return Buffer.concat([
    instruction(LDX_W, access, 0, { source: context, skip: 0 }),
    instruction(LDX_W, major, 0, { source: context, skip: 4 }),
    instruction(LDX_W, minor, 0, { source: context, skip: 8 }),
    instruction(MOV_X, type, 0, { source: access }),
    instruction(AND_K, type, 0xffff),
    instruction(RSH_K, access, 16),
    instruction(JNE_K, access, accessMknod, { skip: 2 }),
    ...allow,
    instruction(JEQ_K, type, charDevice, { skip: 2 }),
    ...deny,
    ...rules,
    ...deny,
  ]);
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
