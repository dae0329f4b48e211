import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultCapabilities, startContainer } from "../runtime/index.ts";
import { currentTarget, selectRules } from "../runtime/security/seccomp-profile.ts";
import { ContainerRig } from "../test/rig/container.ts";
import { processorTime } from "./processor-time.ts";

/**
 * Processor time of a container that runs /bin/true, ours in this process against `crun run`: all namespaces but the
 * network's, an overlay over two directories, the default filter of system calls. Medians of ratios, theirs to ours
 * (above 1: ours is cheaper). Usage: node bench/container.ts
 */
const rounds = 5;
const containers = 100;
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

async function measure(act: () => void | Promise<void>): Promise<number> {
  const before = processorTime();
  await act();
  return (processorTime() - before) / containers;
}

/** As a RUN, whose standard streams nobody has to carry. */
async function ours(rig: ContainerRig): Promise<void> {
  const none = openSync("/dev/null", "r+");
  for (let at = 0; at < containers; at++) {
    const spec = rig.spec("", { args: ["/bin/true"] });
    await using container = await startContainer(spec, { stdin: "null", stdout: none, stderr: none, own: true });
    const status = await container.exited;
    if (status.kind !== "exited" || status.code !== 0) throw new Error(JSON.stringify(status));
  }
}

/** In a mount namespace of its own: crun refuses version 2 of control groups beside version 1. */
function theirs(bundle: string): void {
  const script = `umount /sys/fs/cgroup/unified 2>/dev/null
    for i in $(seq ${containers}); do crun run -b "$1" bench-$$-$i || exit 1; done`;
  const { status, stderr } = spawnSync("unshare", ["-m", "sh", "-c", script, "sh", bundle], { encoding: "utf8" });
  if (status !== 0) throw new Error(`crun: ${stderr.slice(-400)}`);
}

/** The filter that ours has, as the runtime specification writes it. */
function seccomp(): unknown {
  const profile = JSON.parse(readFileSync("runtime/security/profile/seccomp.json", "utf8"));
  const { rules, defaultErrno } = selectRules(profile, currentTarget(defaultCapabilities));
  return {
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: defaultErrno,
    architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
    syscalls: rules.map(({ names, action, conditions }) => ({
      names,
      ...(action.kind === "allow"
        ? { action: "SCMP_ACT_ALLOW" }
        : { action: "SCMP_ACT_ERRNO", errnoRet: action.errno }),
      args: conditions.map(({ index, op, value, valueTwo }) => ({
        index,
        op: `SCMP_CMP_${op}`,
        value: Number(value),
        valueTwo: Number(valueTwo),
      })),
    })),
  };
}

/** The bundle of `crun spec` over the same overlay, with our filter. */
function makeBundle(rig: ContainerRig): string {
  const bundle = mkdtempSync(join(tmpdir(), "tsbuild-bundle-"));
  for (const name of ["rootfs", "upper", "work"]) mkdirSync(join(bundle, name));
  const overlay = `lowerdir=${rig.lower},upperdir=${bundle}/upper,workdir=${bundle}/work`;
  execFileSync("mount", ["-t", "overlay", "overlay", "-o", overlay, join(bundle, "rootfs")]);
  execFileSync("crun", ["spec"], { cwd: bundle });
  const file = join(bundle, "config.json");
  const spec: { process: Record<string, unknown>; linux: { namespaces: { type: string }[] } } = JSON.parse(
    readFileSync(file, "utf8"),
  );
  const { rlimits: _rlimits, ...process } = spec.process;
  const namespaces = spec.linux.namespaces.filter(({ type }) => type !== "network");
  const changed = {
    ...spec,
    process: { ...process, terminal: false, args: ["/bin/true"] },
    linux: { ...spec.linux, namespaces, seccomp: seccomp() },
  };
  writeFileSync(file, JSON.stringify(changed));
  return bundle;
}

using rig = new ContainerRig();
const bundle = makeBundle(rig);
try {
  const own: number[] = [];
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const mine = await measure(async () => await ours(rig));
    own.push(mine);
    ratios.push((await measure(() => theirs(bundle))) / mine);
  }
  console.log(`container / crun run   ${median(ratios).toFixed(2)}x  (ours ${median(own).toFixed(1)} ms of CPU)`);
} finally {
  execFileSync("umount", [join(bundle, "rootfs")]);
  rmSync(bundle, { recursive: true, force: true });
}
