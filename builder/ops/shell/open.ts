import { randomBytes } from "node:crypto";
import { openOverlay } from "../../../native/mount.ts";
import { clearWorkDirectory } from "../../../native/overlay-work.ts";
import { TsbuildError } from "../../../native/errors.ts";
import { startContainer, type Attachments, type Container, type ContainerSpec } from "../../../runtime/index.ts";
import { lowerDirs, type ActiveSnapshot } from "../../../store/snapshot/snapshotter.ts";
import { setEnv } from "../../base/env.ts";
import { resolveInRoot, statInRoot } from "../../inputs/files/resolve.ts";

/** What a step would have been run with, or was; its file system is there until the shell ends. */
export interface StoppedStep {
  readonly spec: ContainerSpec;
  readonly attachments: Attachments;
  readonly active: ActiveSnapshot;
}

/** How a shell is started. Standard streams are descriptors of the caller; with a terminal they are not used. */
export interface ShellSettings {
  /** In place of a shell. */
  readonly command: readonly string[];
  readonly terminal: { readonly columns: number; readonly rows: number } | undefined;
  readonly stdio: { readonly stdin: number; readonly stdout: number; readonly stderr: number };
  readonly signal: AbortSignal;
}

const shells = ["/bin/bash", "/usr/bin/bash", "/bin/sh", "/usr/bin/sh", "/busybox/sh", "/bin/ash"];

/** Starts a shell in the state of a step. What it writes is gone with the step. @throws E_SHELL_NOT_FOUND, StartError */
export async function openShell(
  { spec, attachments, active }: StoppedStep,
  settings: ShellSettings,
): Promise<Container> {
  const { command, terminal, stdio, signal } = settings;
  const args = command.length > 0 ? command : [findShell(active)];
  clearWorkDirectory(active.work);
  const env = terminal === undefined ? spec.env : setEnv(spec.env, "TERM", "xterm");
  return await startContainer(
    {
      ...spec,
      id: `shell-${randomBytes(8).toString("hex")}`,
      args,
      env,
      ...(terminal === undefined ? {} : { terminal }),
    },
    stdio,
    { signal, attachments },
  );
}

function findShell(active: ActiveSnapshot): string {
  using root = openOverlay({ lower: [active.upper, ...lowerDirs(active.parent)] });
  const found = shells.find((path) => {
    const stat = statInRoot(root, resolveInRoot(root, path));
    return stat?.type === "file" && (stat.mode & 0o111) !== 0;
  });
  if (found !== undefined) return found;
  throw new TsbuildError("Cannot open a shell: this file system has none", {
    code: "E_SHELL_NOT_FOUND",
    hint: "name a program that it has: tsbuild shell . /program",
  });
}
