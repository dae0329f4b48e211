import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { build, type BuildEvent, type BuildOptions, type BuildResult } from "../../builder/index.ts";

/** Applets of busybox that the tests' shell scripts use. */
const applets =
  "sh ls cat id mkdir touch rm echo env true false wc find chmod chown mv ln sleep stat cp grep sed head tail test mknod kill ps printf mount";

/** A build that ended: its result or its error, and everything it said. */
export interface Outcome {
  readonly result: BuildResult | undefined;
  readonly error: unknown;
  readonly events: readonly BuildEvent[];
  readonly log: string;
}

/** A build context and a store of its own in a temporary directory. */
export class Project implements Disposable {
  readonly directory: string;
  readonly store: string;
  readonly #top: string;

  /** `files`: path -> text. `busybox/` holds a root file system with a shell: `COPY busybox/ /`. */
  constructor(files: Readonly<Record<string, string>>) {
    this.#top = mkdtempSync(join(tmpdir(), "tsbuild-test-"));
    this.directory = join(this.#top, "context");
    this.store = join(this.#top, "store");
    mkdirSync(this.directory);
    makeBusybox(join(this.directory, "busybox"));
    for (const [path, text] of Object.entries(files)) this.write(path, text);
  }

  write(path: string, text: string): void {
    const file = join(this.directory, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  remove(path: string): void {
    rmSync(join(this.directory, path), { recursive: true });
  }

  async build(options: Partial<BuildOptions> = {}): Promise<Outcome> {
    await using running = build({ context: this.directory, root: this.store, ...options });
    const events: BuildEvent[] = [];
    for await (const event of running) events.push(event);
    const log = events.map((event) => (event.kind === "log" ? Buffer.from(event.data).toString() : "")).join("");
    return await running.result.then(
      (result) => ({ result, error: undefined, events, log }),
      (error: unknown) => ({ result: undefined, error, events, log }),
    );
  }

  [Symbol.dispose](): void {
    rmSync(this.#top, { recursive: true, force: true });
  }
}

/** The lines that every test's Dockerfile begins with: a file system with a shell, from nothing. */
export const fromBusybox = "FROM scratch\nCOPY busybox/ /\n";

function makeBusybox(root: string): void {
  mkdirSync(join(root, "bin"), { recursive: true });
  mkdirSync(join(root, "etc"));
  mkdirSync(join(root, "tmp"));
  chmodSync(join(root, "tmp"), 0o1777);
  copyFileSync("/bin/busybox", join(root, "bin/busybox"));
  for (const name of applets.split(" ")) symlinkSync("busybox", join(root, "bin", name));
  writeFileSync(join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001:app:/home/app:/bin/sh\n");
  writeFileSync(join(root, "etc/group"), "root:x:0:\napp:x:1001:\nextra:x:2000:app\n");
}
