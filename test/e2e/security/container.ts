import { spawnSync } from "node:child_process";
import { closeSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, openSync } from "node:fs";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startContainer, type Container, type ContainerSpec, type ExitStatus } from "../../../runtime/index.ts";

/** The groups that a process has made below a directory of a hierarchy. */
export function groupsOf(pid: number | undefined, directory: string): readonly string[] {
  const parent = join(directory, "tsbuild");
  if (!existsSync(parent)) return [];
  const own = readdirSync(parent).filter((name) => name.startsWith(`${pid}.`));
  return own.map((name) => join(parent, name));
}

/** A container that ended. */
export interface Ended {
  readonly status: ExitStatus;
  readonly output: string;
  readonly oomKilled: boolean;
  readonly network: Container["network"];
}

/** A root file system with busybox and, when it is asked for, the battery. */
export class Box implements Disposable {
  readonly directory: string = mkdtempSync(join(tmpdir(), "tsbuild-box-"));
  readonly root: string = join(this.directory, "root");
  #count = 0;

  constructor() {
    for (const name of ["bin", "tmp", "proc", "sys", "dev"]) mkdirSync(join(this.root, name), { recursive: true });
    copyFileSync("/bin/busybox", join(this.root, "bin/busybox"));
  }

  /** Compiles a C source to `/bin/NAME` of the root, static. */
  compile(source: string, name: string): void {
    const made = spawnSync("cc", ["-static", "-O1", "-w", "-o", join(this.root, "bin", name), source], {
      encoding: "utf8",
    });
    if (made.status !== 0) throw new Error(`cc: ${made.stderr}`);
  }

  /** Runs it to its end; its output and errors are one text. */
  async run(args: readonly string[], spec: Partial<ContainerSpec> = {}): Promise<Ended> {
    const file = join(this.directory, `output-${this.#count}`);
    const fd = openSync(file, "w");
    try {
      await using container = await startContainer(this.spec(args, spec), { stdin: "null", stdout: fd, stderr: fd });
      const status = await container.exited;
      const { network } = container;
      return { network, status, output: readFileSync(file, "utf8"), oomKilled: container.oomKilled() };
    } finally {
      closeSync(fd);
    }
  }

  /** The same to the end, without its output, while `act` looks at it. */
  async during(act: (container: Container) => void, spec: Partial<ContainerSpec>): Promise<void> {
    const fd = openSync("/dev/null", "w");
    try {
      const stdio = { stdin: "null", stdout: fd, stderr: fd } as const;
      await using container = await startContainer(this.spec(["/bin/busybox", "sleep", "1000"], spec), stdio);
      act(container);
    } finally {
      closeSync(fd);
    }
  }

  spec(args: readonly string[], spec: Partial<ContainerSpec>): ContainerSpec {
    return {
      id: `box-${process.pid}-${this.#count++}`,
      root: { kind: "bind", source: this.root },
      mounts: [],
      hostname: "box",
      args,
      env: ["PATH=/bin"],
      cwd: "/",
      user: { uid: 0, gid: 0, additionalGids: [] },
      network: "none",
      ...spec,
    };
  }

  /** Runs a line of busybox's shell. */
  async sh(script: string, spec: Partial<ContainerSpec> = {}): Promise<Ended> {
    return await this.run(["/bin/busybox", "sh", "-c", script], spec);
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
