/** struct seccomp_data as a program sees it. */
export interface SeccompCall {
  readonly nr: number;
  readonly arch: number;
  readonly args: readonly bigint[];
}

/** What a filter returns for a call, evaluated as the kernel does; throws where the kernel would refuse the program. */
export function evaluateFilter(program: Uint8Array, call: SeccompCall): number {
  const code = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const data = seccompData(call);
  let accumulator = 0;
  for (let at = 0; at < program.byteLength; at += 8) {
    const opcode = code.getUint16(at, true);
    const k = code.getUint32(at + 4, true);
    const jump = (holds: boolean): void => {
      at += 8 * code.getUint8(at + (holds ? 2 : 3));
    };
    if (opcode === 0x20) accumulator = data.getUint32(k, true);
    else if (opcode === 0x54) accumulator = (accumulator & k) >>> 0;
    else if (opcode === 0x15) jump(accumulator === k);
    else if (opcode === 0x25) jump(accumulator > k);
    else if (opcode === 0x35) jump(accumulator >= k);
    else if (opcode === 0x05) at += 8 * k;
    else if (opcode === 0x06) return k;
    else throw new Error(`opcode ${opcode.toString(16)} at ${at / 8}`);
  }
  throw new Error("the program runs past its end");
}

function seccompData({ nr, arch, args }: SeccompCall): DataView {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, nr, true);
  data.setUint32(4, arch, true);
  for (const [at, value] of args.entries()) data.setBigUint64(16 + 8 * at, BigInt.asUintN(64, value), true);
  return data;
}
