import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

/** Debian's dockerd with a data directory of its own; its builder is BuildKit. Dispose stops it and removes its data. */
export class Dockerd implements AsyncDisposable {
  readonly #directory: string;
  /** As `docker -H` takes it. */
  readonly socket: string;
  readonly #process: ReturnType<typeof spawn>;

  private constructor(directory: string) {
    this.#directory = directory;
    this.socket = `unix://${directory}/docker.sock`;
    const log = openSync(join(directory, "log"), "w");
    const args = ["--iptables=false", "--bridge=none", "-H", this.socket, "--pidfile", join(directory, "pid")];
    const places = ["--data-root", join(directory, "data"), "--exec-root", join(directory, "exec")];
    this.#process = spawn("dockerd", [...args, ...places], { stdio: ["ignore", log, log] });
  }

  static async start(): Promise<Dockerd> {
    const daemon = new Dockerd(mkdtempSync(join(tmpdir(), "tsbuild-dockerd-")));
    for (let tries = 0; tries < 100; tries++) {
      if (existsSync(join(daemon.#directory, "docker.sock"))) {
        try {
          daemon.docker(["version"]);
          return daemon;
        } catch {
          // Its socket is there before it answers.
        }
      }
      await setTimeout(200);
    }
    await daemon[Symbol.asyncDispose]();
    throw new Error("dockerd does not start");
  }

  /** Runs Debian's docker client: a newer one refuses BuildKit without its plugin. */
  docker(args: readonly string[]): string {
    return execFileSync("/usr/bin/docker", ["-H", this.socket, ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, DOCKER_BUILDKIT: "1" },
      maxBuffer: 64 << 20,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once("close", resolve));
    this.#process.kill("SIGTERM");
    await ended;
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
