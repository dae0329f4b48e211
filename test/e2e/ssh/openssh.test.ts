import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { openSshAgent } from "../../../builder/inputs/ssh/agent-socket.ts";
import { SshAgents } from "../../../builder/inputs/ssh/agents.ts";
import { fromBusybox, Project } from "../../rig/project.ts";
import { sshd, startSshd } from "../../rig/sshd.ts";
import { makeTemp } from "../../rig/temp.ts";

const programs = ["ssh", "ssh-add", "ssh-agent", "ssh-keygen"].map((name) => `/usr/bin/${name}`);
const missing = [...programs, sshd].filter((program) => !existsSync(program));
const kinds = ["ed25519", "rsa", "ecdsa"] as const;

/** Keys by ssh-keygen; gives their files. */
function keygen(directory: string, passphrase: string = ""): readonly string[] {
  return kinds.map((kind) => {
    const file = join(directory, kind);
    execFileSync("ssh-keygen", ["-q", "-t", kind, "-N", passphrase, "-C", "comment-of-mine", "-f", file]);
    return file;
  });
}

function fingerprints(files: readonly string[]): readonly string[] {
  return files.map((file) => execFileSync("ssh-keygen", ["-lf", file], { encoding: "utf8" }).split(" ")[1] ?? "");
}

/** A real agent with these keys, as long as the result is held. */
async function startAgent(directory: string, keys: readonly string[]): Promise<{ readonly path: string } & Disposable> {
  const path = join(directory, "real.sock");
  const child = spawn("ssh-agent", ["-D", "-a", path], { stdio: ["ignore", "pipe", "ignore"] });
  await once(child.stdout, "data");
  execFileSync("ssh-add", ["-q", ...keys], { env: { SSH_AUTH_SOCK: path } });
  return { path, [Symbol.dispose]: () => void child.kill() };
}

/** Puts programs of the host, with their libraries, where the project's root file system is. */
function copyPrograms(project: Project, paths: readonly string[]): void {
  const libraries = paths.flatMap((path) => execFileSync("ldd", [path], { encoding: "utf8" }).match(/\/\S+/g) ?? []);
  for (const path of new Set([...paths, ...libraries])) {
    const target = join(project.directory, "busybox", path);
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(path, target);
  }
}

describe.skipIf(missing.length > 0)("OpenSSH's own programs (needs ssh, ssh-agent, ssh-keygen, sshd)", () => {
  it("in a step see keys of files and of a real agent, sign and log in with them, and change nothing", async () => {
    using temp = makeTemp();
    const keys = keygen(temp.path);
    const [first = ""] = keys;
    using agent = await startAgent(temp.path, keys);
    using server = await startSshd(temp.path, first, "echo hello $USER");
    const log = "-o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR";
    const step = (id: string): string => `RUN --network=host --mount=type=ssh,id=${id} ssh-add -l && \\
  ssh ${log} -p ${server.port} root@127.0.0.1 && echo data > /tmp/file && \\
  for kind in ${kinds.join(" ")}; do ssh-keygen -q -Y sign -f /$kind.pub -n test /tmp/file && \\
    ssh-keygen -Y check-novalidate -n test -s /tmp/file.sig < /tmp/file && rm /tmp/file.sig; done && \\
  ! ssh-add -D 2>&1 && ! ssh-add -d /ed25519.pub 2>&1 && ssh-add -l | grep -c SHA256
`;
    using project = new Project({ Dockerfile: `${fromBusybox}COPY *.pub /\n${step("files")}${step("agent")}` });
    copyPrograms(project, programs);
    for (const key of keys)
      copyFileSync(`${key}.pub`, join(project.directory, `${key.slice(key.lastIndexOf("/"))}.pub`));
    const ssh = { files: { paths: keys }, agent: { paths: [agent.path] } };
    const { error, log: said } = await project.build({ ssh, allow: ["network.host"] });
    expect(error).toBeUndefined();
    for (const print of fingerprints(keys)) expect(said.split(print).length).toBeGreaterThanOrEqual(5);
    expect(said.match(/hello root/g)).toHaveLength(2);
    expect(said.match(/Good "test" signature/g)).toHaveLength(6);
    expect(said.match(/^3$/gm)).toHaveLength(2);
    expect(
      execFileSync("ssh-add", ["-l"], { env: { SSH_AUTH_SOCK: agent.path }, encoding: "utf8" }).split("\n"),
    ).toHaveLength(4);
  });

  it("on the host use the path of openSshAgent(), and cannot add a key", async () => {
    using temp = makeTemp();
    const keys = keygen(temp.path);
    await using agent = await openSshAgent(new SshAgents({ default: { paths: keys } }), "default", temp.path);
    const env = { PATH: process.env["PATH"] ?? "", SSH_AUTH_SOCK: agent?.socketPath ?? "" };
    const run = async (...args: readonly string[]): Promise<{ readonly code: unknown; readonly text: string }> => {
      const child = spawn("ssh-add", args, { env });
      const chunks: Buffer[] = [];
      child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
      const [code] = await once(child, "close");
      return { code, text: Buffer.concat(chunks).toString() };
    };
    const listed = await run("-l");
    expect(listed.code).toBe(0);
    for (const print of fingerprints(keys)) expect(listed.text).toContain(print);
    expect(listed.text).not.toContain("comment-of-mine");
    expect((await run("-q", keys[0] ?? "")).code).toBe(1);
    expect((await run("-l")).text).toBe(listed.text);
  });

  it("write keys with a passphrase, which are refused with the way out", () => {
    using temp = makeTemp();
    const [key = ""] = keygen(temp.path, "a passphrase");
    const pem = join(temp.path, "pem");
    spawnSync("ssh-keygen", ["-q", "-t", "rsa", "-m", "PEM", "-N", "a passphrase", "-f", pem]);
    for (const file of [key, pem]) {
      expect(readFileSync(file, "utf8")).toContain("PRIVATE KEY");
      expect(() => new SshAgents({ x: { paths: [file] } })).toThrow(
        expect.objectContaining({
          code: "E_SSH_KEY",
          message: expect.stringContaining("passphrase"),
          hint: expect.stringContaining(`ssh-add ${file}`),
        }),
      );
    }
  });
});
