import { spawnSync } from "node:child_process";
import {
  closeSync,
  copyFileSync,
  createReadStream,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import {
  startContainer,
  type Attachments,
  type Container,
  type ContainerSpec,
  type ExitStatus,
} from "../../runtime/index.ts";
import { makeTemp } from "./temp.ts";

/** A container that has ended. */
export interface Ran {
  readonly status: ExitStatus;
  readonly stdout: string;
  readonly stderr: string;
  readonly oomKilled: boolean;
}

/** Root file systems with busybox in a temporary directory, and containers over them. */
export class ContainerRig implements Disposable {
  readonly path: string;
  /** Image files; a test may add its own. */
  readonly lower: string;
  /** What the last container wrote. */
  upper = "";
  readonly #temp = makeTemp();
  #count = 0;

  constructor() {
    this.path = this.#temp.path;
    this.lower = this.directory("lower");
    makeBusybox(this.lower);
  }

  directory(name: string): string {
    const path = join(this.path, name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  /** A root's shell script as a RUN step would run it. */
  spec(script: string, overrides: Partial<ContainerSpec> = {}): ContainerSpec {
    const number = ++this.#count;
    this.upper = this.directory(`upper-${number}`);
    const work = this.directory(`work-${number}`);
    return {
      id: `test-${randomBytes(6).toString("hex")}`,
      root: {
        kind: "overlay",
        layers: { lower: [this.lower], upper: this.upper, work },
        volatile: true,
      },
      mounts: [],
      hostname: "box",
      args: ["/bin/sh", "-c", script],
      env: ["PATH=/bin"],
      cwd: "/",
      user: { uid: 0, gid: 0, additionalGids: [] },
      network: "none",
      ...overrides,
    };
  }

  async run(script: string, overrides: Partial<ContainerSpec> = {}, attachments: Attachments = {}): Promise<Ran> {
    const files = [1, 2].map((number) => join(this.path, `out-${++this.#count}-${number}`));
    const [stdout = -1, stderr = -1] = files.map((file) => openSync(file, "w"));
    try {
      const stdio = { stdin: "null", stdout, stderr } as const;
      await using container = await startContainer(this.spec(script, overrides), stdio, { attachments });
      const status = await container.exited;
      const [out = "", err = ""] = files.map((file) => readFileSync(file, "utf8"));
      return { status, stdout: out, stderr: err, oomKilled: container.oomKilled() };
    } finally {
      for (const fd of [stdout, stderr]) closeSync(fd);
    }
  }

  /** What the script printed; it must end with 0. */
  async output(script: string, overrides: Partial<ContainerSpec> = {}): Promise<string> {
    const { status, stdout, stderr } = await this.run(script, overrides);
    if (status.kind !== "exited" || status.code !== 0) throw new Error(`${JSON.stringify(status)}: ${stdout}${stderr}`);
    return stdout.trimEnd();
  }

  [Symbol.dispose](): void {
    this.#temp[Symbol.dispose]();
  }
}

/** All that a terminal shows until its last user is gone. */
export async function terminalText(container: Container): Promise<string> {
  if (container.terminal === undefined) throw new Error("the container has no terminal");
  const chunks: Buffer[] = [];
  const stream = createReadStream("", { fd: container.terminal, autoClose: false });
  // EIO: nobody has the other side open any more.
  await new Promise<void>((resolve) => {
    stream.on("data", (data) => chunks.push(Buffer.from(data)));
    stream.on("error", () => resolve());
    stream.on("end", () => resolve());
  });
  return Buffer.concat(chunks).toString();
}

function makeBusybox(root: string): void {
  for (const name of ["bin", "etc", "tmp", "proc", "sys", "dev"]) mkdirSync(join(root, name));
  copyFileSync("/bin/busybox", join(root, "bin/busybox"));
  const list = spawnSync("/bin/busybox", ["--list"], { encoding: "utf8" }).stdout.trim().split("\n");
  for (const name of list) if (name !== "busybox") symlinkSync("busybox", join(root, "bin", name));
  writeFileSync(join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n");
}
