import { call, closeFd, libcFunction } from "./syscall.ts";

const SYS_bpf: number = process.arch === "arm64" ? 280 : 321;
const BPF_PROG_LOAD = 5;
const BPF_PROG_ATTACH = 8;
const BPF_PROG_TYPE_CGROUP_DEVICE = 15;
const BPF_CGROUP_DEVICE = 6;
const BPF_F_ALLOW_MULTI = 2;

/**
 * Attaches a device filter (struct bpf_insn[]) to a v2 control group; it goes when the group goes, and groups above
 * keep theirs. @throws SyscallError @see bpf(2)
 */
export function attachDeviceFilter(groupFd: number, program: Buffer): void {
  const license = Buffer.from("Apache-2.0\0");
  const load = Buffer.alloc(48);
  load.writeUInt32LE(BPF_PROG_TYPE_CGROUP_DEVICE, 0);
  load.writeUInt32LE(program.byteLength / 8, 4);
  load.writeBigUInt64LE(addressOf(program), 8);
  load.writeBigUInt64LE(addressOf(license), 16);
  const filter = call("bpf", undefined, SYS_bpf, BPF_PROG_LOAD, load, load.byteLength);
  try {
    const attach = Buffer.alloc(16);
    attach.writeUInt32LE(groupFd, 0);
    attach.writeUInt32LE(filter, 4);
    attach.writeUInt32LE(BPF_CGROUP_DEVICE, 8);
    attach.writeUInt32LE(BPF_F_ALLOW_MULTI, 12);
    call("bpf", undefined, SYS_bpf, BPF_PROG_ATTACH, attach, attach.byteLength);
  } finally {
    closeFd(filter);
  }
}

/** Where the buffer's bytes are: memmove() of nothing gives its first argument back. Valid as long as it is held. */
function addressOf(buffer: Buffer): bigint {
  return BigInt(libcFunction("uint64_t memmove(void *, void *, size_t)")(buffer, buffer, 0));
}
