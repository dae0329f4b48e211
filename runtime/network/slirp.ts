import type { ChildProcess } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { Readable } from "node:stream";
import { TsbuildError } from "../../native/errors.ts";
import type { NetworkNamespace } from "../../native/netns.ts";
import { withServers } from "./resolv.ts";

const program = "slirp4netns";
/** Not those of the environment: who calls may have directories there that others write to. */
const places = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"] as const;
/** Where it answers questions for names, by the host's servers wherever they are. */
const nameServer = "10.0.2.3";
const longestComplaint = 1000;

/** A way out that needs nothing of the host but a program: it speaks for the container as an ordinary process. */
export interface UserWay extends Disposable {
  readonly resolvConf: string;
}

/** Whether its program is there and could make an interface. */
export function hasUserWay(): boolean {
  return allows("/dev/net/tun", constants.R_OK | constants.W_OK) && programPath() !== undefined;
}

function programPath(): string | undefined {
  return places.map((place) => `${place}/${program}`).find((path) => allows(path, constants.X_OK));
}

function allows(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

/**
 * Connects a namespace by slirp4netns, which ends with us. It does not lead to the host's loopback interface.
 * @throws E_NETWORK_USER
 */
export async function openUserWay(namespace: NetworkNamespace, hostResolvConf: string): Promise<UserWay> {
  // Only here: it costs every start of the command milliseconds.
  const { spawn } = await import("node:child_process");
  const path = `/proc/${process.pid}/fd/${namespace.fd}`;
  const child = spawn(
    programPath() ?? program,
    [
      "--configure",
      "--mtu=65520",
      "--disable-host-loopback",
      "--enable-sandbox",
      "--enable-seccomp",
      "--netns-type=path",
      "--ready-fd=3",
      "--exit-fd=4",
      path,
      "eth0",
    ],
    { stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"], cwd: "/", env: { LC_ALL: "C" } },
  );
  const dispose = (): void => {
    for (const stream of child.stdio) stream?.destroy();
    child.kill("SIGKILL");
  };
  try {
    await ready(child);
  } catch (error) {
    dispose();
    throw error;
  }
  return { resolvConf: withServers(hostResolvConf, [nameServer]), [Symbol.dispose]: dispose };
}

async function ready(child: ChildProcess): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const [, , complaints, told] = child.stdio;
  let text = "";
  if (complaints instanceof Readable)
    complaints.setEncoding("utf8").on("data", (more: string) => (text = (text + more).slice(-longestComplaint)));
  if (told instanceof Readable) told.once("data", () => resolve());
  child.once("error", (error) => reject(cannot(error.message)));
  child.once("exit", () => reject(cannot(text.trim().split("\n").at(-1) ?? "it ended")));
  for (const stream of child.stdio) stream?.on("error", () => undefined);
  await promise;
}

function cannot(why: string): TsbuildError {
  return new TsbuildError(`Cannot connect the container by ${program}: ${why}`, {
    code: "E_NETWORK_USER",
    hint: `see what it says by itself: ${program} --configure PID eth0`,
  });
}
