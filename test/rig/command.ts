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
  return await runProgram("/usr/bin/script", ["-qec", shellLine(words), "/dev/null"], { project, input });
}

/** As tsbuildOnTerminal(), with each answer typed when its question is there. */
export async function tsbuildAnswering(
  project: Project,
  words: readonly string[],
  answers: readonly (readonly [question: string, answer: string])[],
): Promise<Ended> {
  const waiting = [...answers];
  return await runProgram("/usr/bin/script", ["-qec", shellLine(words), "/dev/null"], {
    project,
    answer: (shown) => {
      const [next] = waiting;
      if (next === undefined || !shown.includes(next[0])) return undefined;
      waiting.shift();
      return next[1];
    },
  });
}

/** For who starts the command by other means than tsbuild(). */
export function environmentOf({ store }: Project): NodeJS.ProcessEnv {
  return { ...process.env, TSBUILD_ROOT: store, XDG_CACHE_HOME: resolve("node_modules/.cache") };
}

function shellLine(words: readonly string[]): string {
  return [resolve("builder/cli/tsbuild"), ...words].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
}

async function runProgram(
  program: string,
  words: readonly string[],
  request: {
    readonly project: Project;
    /** All of standard input; without it `answer` says what is typed after what has been shown. */
    readonly input?: string;
    readonly answer?: (shown: string) => string | undefined;
    readonly env?: Readonly<Record<string, string>>;
  },
): Promise<Ended> {
  const { project, input, answer } = request;
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: join(project.store, "..", "home"),
    XDG_CACHE_HOME: resolve("node_modules/.cache"),
    TSBUILD_ROOT: project.store,
    TERM: "xterm",
    TSBUILD_NETWORK: "host",
    ...request.env,
  };
  const child = spawn(program, words, { cwd: project.directory, env });
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  child.stdin.on("error", () => undefined);
  if (answer === undefined) child.stdin.end(input);
  else {
    child.stdout.on("data", () => {
      const typed = answer(Buffer.concat(stdout).toString());
      if (typed !== undefined) child.stdin.write(typed);
    });
  }
  const [code] = await once(child, "close");
  const text = (chunks: readonly Buffer[]): string => Buffer.concat(chunks).toString();
  return { code: typeof code === "number" ? code : null, stdout: text(stdout), stderr: text(stderr) };
}
