import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { TestAuthority } from "./certificates.ts";
import { lanHosts, type LanRequest, type LanRules } from "./lan-rules.ts";

/** How a program ended in the network. */
export interface LanEnded {
  readonly code: number | null;
  readonly output: string;
}

/** A network of its own with servers that have names and addresses as out in the world, and programs that ask them. */
export class Lan implements AsyncDisposable {
  readonly authority: TestAuthority = new TestAuthority("lan");
  readonly #server: ChildProcessWithoutNullStreams;
  #requests: LanRequest[] = [];
  #done: () => void = () => undefined;

  private constructor(server: ChildProcessWithoutNullStreams) {
    this.#server = server;
    createInterface({ input: server.stdout }).on("line", (line) => {
      const said: LanRequest | { readonly done: true } = JSON.parse(line);
      if ("done" in said) this.#done();
      else this.#requests.push(said);
    });
    server.stderr.pipe(process.stderr);
  }

  static async start(): Promise<Lan> {
    const server = join(import.meta.dirname, "lan-server.ts");
    const lan = new Lan(spawn("unshare", ["--net", "--mount", process.execPath, server]));
    const { cert, key } = lan.authority.server(Object.keys(lanHosts));
    await lan.#tell({ cert, key, ca: lan.authority.cert });
    return lan;
  }

  /** Runs a program while the servers do as they are told. */
  async run(
    rules: LanRules,
    [program = "", ...words]: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Promise<LanEnded & { readonly requests: readonly LanRequest[] }> {
    await this.#tell(rules);
    this.#requests = [];
    const place = ["--net", "--mount", "--target", String(this.#server.pid), "--"];
    const child = spawn("nsenter", [...place, program, ...words], { env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text) => (output += text));
    const [code]: (number | null)[] = await once(child, "close");
    // What was told meanwhile is there before the answer.
    await this.#tell({});
    return { code: code ?? null, output, requests: this.#requests };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.stdin.end();
    if (this.#server.exitCode === null) await once(this.#server, "close");
  }

  async #tell(value: object): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#done = resolve;
    this.#server.stdin.write(`${JSON.stringify(value)}\n`);
    await promise;
  }
}
