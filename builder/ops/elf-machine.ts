import { openOverlay } from "../../native/mount.ts";
import { openFlags, type Root } from "../../native/path.ts";
import { closeFd, readFd } from "../../native/syscall.ts";
import { hostPlatform } from "../../store/oci/platform.ts";
import { getEnv } from "../base/env.ts";
import { parentInRoot, resolveInRoot, statInRoot } from "../inputs/files/resolve.ts";

/** Architectures by `e_machine`; of those with two byte orders the one of Linux today. @see elf(5) */
const machines: ReadonlyMap<number, string> = new Map([
  [3, "386"],
  [8, "mips"],
  [21, "ppc64le"],
  [22, "s390x"],
  [40, "arm"],
  [62, "amd64"],
  [183, "arm64"],
  [243, "riscv64"],
  [258, "loong64"],
]);

/** Why the kernel knew no way to execute a program: the architecture that it is for, where that is another. Never throws. */
export function foreignMachine(layers: readonly string[], env: readonly string[], program: string): string | undefined {
  try {
    using root = openOverlay({ lower: layers });
    const path = program.includes("/") ? [""] : (getEnv(env, "PATH") ?? "").split(":").slice(0, 20);
    for (const directory of path) {
      const machine = machineOf(root, `${directory}/${program}`);
      if (machine !== undefined) return machine === hostPlatform().architecture ? undefined : machine;
    }
  } catch {
    return undefined; // it only helps
  }
  return undefined;
}

/** What may be done about it, after the words that say it. */
export function foreignHint(machine: string, way: string): string {
  const { architecture } = hostPlatform();
  return `it is a program for ${machine}, and this machine is ${architecture}: ${way}\nor register an emulator: apt-get install qemu-user-static`;
}

function machineOf(root: Root, path: string): string | undefined {
  const resolved = resolveInRoot(root, path);
  const found = statInRoot(root, resolved)?.type === "file" ? parentInRoot(root, resolved) : undefined;
  if (found === undefined) return undefined;
  using dir = found.dir;
  const fd = dir.openFile(found.name, openFlags.read);
  try {
    const head = Buffer.alloc(20);
    if (readFd(fd, head) < head.length || head.readUInt32BE(0) !== 0x7f454c46) return undefined;
    const bigEndian = head[5] === 2;
    const machine = bigEndian ? head.readUInt16BE(18) : head.readUInt16LE(18);
    return machines.get(machine) ?? `another architecture (ELF machine ${machine})`;
  } finally {
    closeFd(fd);
  }
}
