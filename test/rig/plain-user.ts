import { execFileSync, spawn } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Ended } from "./command.ts";

const uid = 4321;

/**
 * A user of the machine without any rights, for as long as it is held: the files that make one are mounts that only
 * its own commands see. `ranges`: whether /etc/subuid and /etc/subgid grant it numbers for other owners; `tun`:
 * whether it may use /dev/net/tun.
 */
export class PlainUser implements Disposable {
  readonly uid: number = uid;
  readonly home: string;
  readonly #top: string;
  readonly #tun: boolean;

  constructor({ ranges = true, tun = false }: { readonly ranges?: boolean; readonly tun?: boolean } = {}) {
    this.#tun = tun;
    this.#top = mkdtempSync(join(tmpdir(), "tsbuild-user-"));
    chmodSync(this.#top, 0o755);
    this.home = join(this.#top, "home");
    mkdirSync(this.home);
    chownSync(this.home, uid, uid);
    // The sources may be where only root comes.
    mkdirSync(join(this.#top, "tsbuild"));
    if (tun) execFileSync("mknod", ["-m", "666", join(this.#top, "tun"), "c", "10", "200"]);
    const passwd = readFileSync("/etc/passwd", "utf8");
    writeFileSync(join(this.#top, "passwd"), `${passwd}plain:x:${uid}:${uid}::${this.home}:/bin/sh\n`);
    writeFileSync(join(this.#top, "subid"), ranges ? `plain:200000:65536\n` : "");
  }

  /** Runs a command line of tsbuild in a directory, as the user. */
  async tsbuild(
    directory: string,
    words: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Ended> {
    return await this.run(directory, [join(this.#top, "tsbuild/builder/cli/tsbuild"), ...words], env);
  }

  /** Runs any program as the user. */
  async run(directory: string, words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
    const tun = this.#tun ? `mount --bind "$0/tun" /dev/net/tun &&` : "";
    const script = `${tun} mount --bind "$0/passwd" /etc/passwd && mount --bind "$0/subid" /etc/subuid &&
      mount --bind "$0/subid" /etc/subgid && mount --rbind "$1" "$0/tsbuild" && cd "$2" && shift 2 &&
      exec setpriv --reuid ${uid} --regid ${uid} --clear-groups --inh-caps=-all "$@"`;
    const child = spawn("unshare", ["-m", "sh", "-c", script, this.#top, resolve("."), directory, ...words], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env["PATH"] ?? "", HOME: this.home, TERM: "xterm", TSBUILD_NETWORK: "host", ...env },
    });
    const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    const [code] = await once(child, "close");
    const text = (chunks: readonly Buffer[]): string => Buffer.concat(chunks).toString();
    return { code: typeof code === "number" ? code : null, stdout: text(stdout), stderr: text(stderr) };
  }

  [Symbol.dispose](): void {
    rmSync(this.#top, { recursive: true, force: true });
  }
}
