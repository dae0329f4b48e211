import { readFileSync } from "node:fs";
import { TsbuildError } from "../../native/errors.ts";

/** Names by number. @see capabilities(7), linux/capability.h */
export const capabilityNames: readonly string[] = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_DAC_READ_SEARCH",
  "CAP_FOWNER",
  "CAP_FSETID",
  "CAP_KILL",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETPCAP",
  "CAP_LINUX_IMMUTABLE",
  "CAP_NET_BIND_SERVICE",
  "CAP_NET_BROADCAST",
  "CAP_NET_ADMIN",
  "CAP_NET_RAW",
  "CAP_IPC_LOCK",
  "CAP_IPC_OWNER",
  "CAP_SYS_MODULE",
  "CAP_SYS_RAWIO",
  "CAP_SYS_CHROOT",
  "CAP_SYS_PTRACE",
  "CAP_SYS_PACCT",
  "CAP_SYS_ADMIN",
  "CAP_SYS_BOOT",
  "CAP_SYS_NICE",
  "CAP_SYS_RESOURCE",
  "CAP_SYS_TIME",
  "CAP_SYS_TTY_CONFIG",
  "CAP_MKNOD",
  "CAP_LEASE",
  "CAP_AUDIT_WRITE",
  "CAP_AUDIT_CONTROL",
  "CAP_SETFCAP",
  "CAP_MAC_OVERRIDE",
  "CAP_MAC_ADMIN",
  "CAP_SYSLOG",
  "CAP_WAKE_ALARM",
  "CAP_BLOCK_SUSPEND",
  "CAP_AUDIT_READ",
  "CAP_PERFMON",
  "CAP_BPF",
  "CAP_CHECKPOINT_RESTORE",
];

/** Docker's 14. */
export const defaultCapabilities: readonly string[] = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_FSETID",
  "CAP_FOWNER",
  "CAP_MKNOD",
  "CAP_NET_RAW",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETFCAP",
  "CAP_SETPCAP",
  "CAP_NET_BIND_SERVICE",
  "CAP_SYS_CHROOT",
  "CAP_KILL",
  "CAP_AUDIT_WRITE",
];

/** The set as a mask: bit n = capability n. @throws E_CAPABILITY_UNKNOWN */
export function capabilityMask(names: readonly string[]): bigint {
  let mask = 0n;
  for (const name of names) {
    const number = capabilityNames.indexOf(name);
    if (number < 0) {
      throw new TsbuildError(`Cannot grant ${name}: no such capability`, {
        code: "E_CAPABILITY_UNKNOWN",
        hint: "names are those of capabilities(7): --cap-add NET_ADMIN, or ALL",
      });
    }
    mask |= 1n << BigInt(number);
  }
  return mask;
}

let own: bigint | undefined;

/** What this process itself may have: nobody can be given more. */
export function ownCapabilities(): bigint {
  own ??= readOwn();
  return own;
}

function readOwn(): bigint {
  const match = /^CapPrm:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"));
  return BigInt(`0x${match?.[1] ?? "0"}`);
}

/** The names of what this process may have: what ALL can mean. */
export function availableCapabilities(): readonly string[] {
  return capabilityNames.filter((_, bit) => ((ownCapabilities() >> BigInt(bit)) & 1n) === 1n);
}

/**
 * The mask of what a container can be given of these names: of Docker's 14 what there is, as for a container in another
 * one; what was asked for beside them has to be there. @throws E_CAPABILITY_UNKNOWN, E_CAPABILITY_MISSING
 */
export function grantableMask(names: readonly string[]): bigint {
  const mask = capabilityMask(names);
  const missing = mask & ~ownCapabilities() & ~capabilityMask(defaultCapabilities);
  const name = capabilityNames.find((_, bit) => ((missing >> BigInt(bit)) & 1n) === 1n);
  if (name === undefined) return mask & ownCapabilities();
  throw new TsbuildError(`Cannot grant ${name}: this process does not have it`, {
    code: "E_CAPABILITY_MISSING",
    hint: "leave it out, or --cap-add ALL: every one that there is",
  });
}
