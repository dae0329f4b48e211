import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

/** A test that needs it is skipped where it is not. */
export const sshd = "/usr/sbin/sshd";

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** An sshd on loopback, with a host key of its own, that lets one key in as root; `command`: all that one can run. */
export async function startSshd(
  directory: string,
  key: string,
  command?: string,
  wanted?: number,
): Promise<{ readonly port: number } & Disposable> {
  const port = wanted ?? (await freePort());
  const hostKey = join(directory, `host-${crypto.randomUUID()}`);
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", hostKey]);
  copyFileSync(`${key}.pub`, join(directory, "authorized"));
  const options = [
    `Port=${port}`,
    "ListenAddress=127.0.0.1",
    `HostKey=${hostKey}`,
    `AuthorizedKeysFile=${join(directory, "authorized")}`,
    "StrictModes=no",
    "PermitRootLogin=yes",
    "PasswordAuthentication=no",
    "UsePAM=no",
    "PidFile=none",
    ...(command === undefined ? [] : [`ForceCommand=${command}`]),
  ].flatMap((option) => ["-o", option]);
  // It insists on a directory of its own below /run.
  const script = 'mount -t tmpfs none /run && mkdir -m 755 /run/sshd && exec "$@"';
  const args = ["--mount", "sh", "-ec", script, "sh", sshd, "-D", "-e", "-f", "/dev/null", ...options];
  const child = spawn("unshare", args, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  for await (const chunk of child.stderr) {
    said += String(chunk);
    if (said.includes("Server listening")) break;
  }
  if (!said.includes("Server listening")) throw new Error(said);
  return { port, [Symbol.dispose]: () => void child.kill() };
}
