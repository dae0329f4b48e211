import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { TsbuildError } from "./errors.ts";
import { installedFile, packageFile } from "./package-file.ts";
import { call, closeFd, tryCall, writeFd } from "./syscall.ts";

const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
/** Asked for where vm.memfd_noexec says that memory files are not for execution; kernels before 6.3 do not know it. */
const MFD_EXEC = 0x10;
const F_DUPFD_CLOEXEC = 1030;
const F_ADD_SEALS = 1033;
const allSeals = 0x1 | 0x2 | 0x4 | 0x8;

let sealed: number | undefined;

/**
 * A descriptor (5 or more) to run tsbuild-init by. It is a sealed copy in memory: a container that gets hold of /proc/PID/exe cannot
 * change what runs next time (CVE-2019-5736). Built by `cc` on first use when it is not there.
 * @throws E_NATIVE_MISSING
 */
export function initExecutable(): number {
  sealed ??= sealedCopy(initFile());
  return sealed;
}

function sealedCopy(file: string): number {
  const bytes = readFileSync(file);
  const name = Buffer.from("tsbuild-init\0");
  const flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  const fd =
    tryCall(["EINVAL"], "memfd_create", undefined, name, flags | MFD_EXEC) ??
    call("memfd_create", undefined, name, flags);
  try {
    writeFd(fd, bytes);
    call("fcntl", undefined, fd, F_ADD_SEALS, allSeals);
    return call("fcntl", undefined, fd, F_DUPFD_CLOEXEC, 5);
  } finally {
    closeFd(fd);
  }
}

/** The executable's file. Built by `cc` when it is not there. @throws E_NATIVE_MISSING */
export function initFile(): string {
  const built = packageFile("native", "build", "tsbuild-init");
  if (isCurrent(built)) return built;
  const packaged = installedFile(packageName(), "tsbuild-init");
  if (packaged !== undefined) return packaged;
  const script = packageFile("native", "build.sh");
  const cc = existsSync(script) ? spawnSync("/bin/sh", [script], { encoding: "utf8" }) : undefined;
  if (cc?.status === 0 && existsSync(built)) return built;
  const said = (cc?.stderr ?? "").split("\n").filter((line) => line !== "");
  throw new TsbuildError("Cannot start containers: the native executable tsbuild-init is missing", {
    code: "E_NATIVE_MISSING",
    notes: [
      `neither ${built} nor the package ${packageName()} is there, and it could not be built`,
      ...said.slice(0, 5),
    ],
    hint: "install a C compiler (apt-get install gcc libc6-dev), then: npm run build:native",
  });
}

/** Whether it is built and no source is newer: its plan must be the one that we write. */
function isCurrent(built: string): boolean {
  if (!existsSync(built)) return false;
  const sources = packageFile("native", "init");
  if (!existsSync(sources)) return true;
  const { mtimeMs } = statSync(built);
  return readdirSync(sources).every((name) => statSync(join(sources, name)).mtimeMs <= mtimeMs);
}

function packageName(): string {
  return `tsbuild-native-linux-${process.arch}`;
}
