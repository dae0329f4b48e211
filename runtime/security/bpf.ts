/** One instruction of a classic BPF program. @see linux/filter.h */
export interface BpfInstruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

/** Opcodes that seccomp filters use. */
export const bpfCodes = { load: 0x20, jump: 0x05, jeq: 0x15, jgt: 0x25, jge: 0x35, and: 0x54, ret: 0x06 } as const;

/** A longer jump than a conditional one can make: the size of its offset is one byte. */
export const maxJump = 255;

/** Loads 32 bits of struct seccomp_data. */
export function load(offset: number): BpfInstruction {
  return { code: bpfCodes.load, jt: 0, jf: 0, k: offset };
}

/** Ends the program with this action. */
export function ret(action: number): BpfInstruction {
  return { code: bpfCodes.ret, jt: 0, jf: 0, k: action };
}

/** Branches on the accumulator: `yes` where the comparison holds, else `no`; both must end by a return. */
export function branch(
  code: number,
  k: number,
  yes: readonly BpfInstruction[],
  no: readonly BpfInstruction[],
): readonly BpfInstruction[] {
  if (no.length <= maxJump) return [{ code, jt: no.length, jf: 0, k }, ...no, ...yes];
  const skip: BpfInstruction = { code: bpfCodes.jump, jt: 0, jf: 0, k: no.length };
  return [{ code, jt: 0, jf: 1, k }, skip, ...no, ...yes];
}

/** struct sock_filter[], little endian. */
export function encodeBpf(program: readonly BpfInstruction[]): Uint8Array {
  const bytes = Buffer.alloc(program.length * 8);
  for (const [at, { code, jt, jf, k }] of program.entries()) {
    bytes.writeUInt16LE(code, at * 8);
    bytes.writeUInt8(jt, at * 8 + 2);
    bytes.writeUInt8(jf, at * 8 + 3);
    bytes.writeUInt32LE(k >>> 0, at * 8 + 4);
  }
  return bytes;
}
