import { spawn } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";
import type { Project } from "./project.ts";

/** A command line of tsbuild that has ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command in the project's directory, with its store; `input` is its standard input. */
export async function tsbuild(project: Project, words: readonly string[], input: string = ""): Promise<Ended> {
  return await runProgram(resolve("builder/cli/tsbuild"), words, { project, input });
}

/** As tsbuild(), with more variables in its environment. */
export async function tsbuildWith(
  project: Project,
  words: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Ended> {
  return await runProgram(resolve("builder/cli/tsbuild"), words, { project, input: "", env });
}

/** As tsbuild(), on a terminal: standard input, output and error are one, and `stdout` is all that it shows. */
export async function tsbuildOnTerminal(project: Project, words: readonly string[], input: string): Promise<Ended> {
  const line = [resolve("builder/cli/tsbuild"), ...words].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  return await runProgram("/usr/bin/script", ["-qec", line, "/dev/null"], { project, input });
}

async function runProgram(
  program: string,
  words: readonly string[],
  request: { readonly project: Project; readonly input: string; readonly env?: Readonly<Record<string, string>> },
): Promise<Ended> {
  const { project, input } = request;
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: join(project.store, "..", "home"),
    XDG_CACHE_HOME: resolve("node_modules/.cache"),
    TSBUILD_ROOT: project.store,
    TERM: "xterm",
    ...request.env,
  };
  const child = spawn(program, words, { cwd: project.directory, env });
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  child.stdin.on("error", () => undefined).end(input);
  const [code] = await once(child, "close");
  const text = (chunks: readonly Buffer[]): string => Buffer.concat(chunks).toString();
  return { code: typeof code === "number" ? code : null, stdout: text(stdout), stderr: text(stderr) };
}
