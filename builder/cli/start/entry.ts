import { statSync } from "node:fs";
import { homedir } from "node:os";
import { isatty } from "node:tty";
import { findBreach } from "../../../native/breach.ts";
import { errorMessage } from "../../../native/errors.ts";
import { readRegular } from "../../base/read-regular.ts";
import { ciService } from "../ci/folding.ts";
import { wantsColor } from "../terminal/color.ts";
import type { Invocation, Warning } from "../flags/command.ts";
import { readConfig, type Config } from "../config/config.ts";
import { table } from "../commands/table.ts";
import { dispatch, type Request } from "./dispatch.ts";
import { storeRoot } from "../flags/engine-options.ts";
import { hostUser } from "../host/host-user.ts";
import { Interrupted } from "../base/interrupted.ts";
import { Interrupts } from "../terminal/interrupts.ts";
import { BrokenPipe, processOutput, type Output } from "../terminal/output.ts";
import { parseLine } from "../flags/parse.ts";
import { UsageError } from "../base/usage-error.ts";

/** Runs one command line of the process; never throws. The number is the exit code. */
export async function main(words: readonly string[]): Promise<number> {
  const out = processOutput(ciService(process.env));
  let request: Request | undefined;
  const command = (): string | undefined => (request?.kind === "command" ? request.command.name : undefined);
  let debug = words.includes("--debug") || words.includes("-D");
  let interrupted: AbortSignal | undefined;
  const warnings = new Map<string, Warning>();
  // An error that nobody waits for, such as an event of a stream: told like every other, never a bare stack.
  process.once("uncaughtException", (error) => {
    void report(error, { command: command(), debug, out }).then((code) => process.exit(code));
  });
  try {
    request = dispatch(table, words, isDirectory);
    if (request.kind === "help") return await printHelp(request, out);
    if (request.kind === "version") return await printVersion(out);
    if (request.kind === "complete") return await printCompletion(request.words, out);
    const { command: spec, words: rest } = request;
    const line = parseLine(spec, rest);
    if (line.help) return await printHelp({ kind: "help", command: spec }, out);
    const config = surroundings();
    debug ||= config.debug;
    const isPlain = typeof spec.plain === "function" ? spec.plain(line.flags) : spec.plain === true;
    if (!isPlain && process.getuid?.() !== 0) {
      const { enterUserNamespace } = await import("../host/user-namespace.ts");
      // Whose the directories above the store are cannot be seen in the namespace.
      if (spec.storeless !== true)
        (await import("../../../store/root-directory.ts")).checkRoot(storeRoot(line.flags, config));
      enterUserNamespace(config.userns, config.env);
    }
    using interrupts = new Interrupts();
    interrupted = interrupts.signal;
    const { execute } = await spec.load();
    const { flags, operands } = line;
    const invocation: Invocation = {
      command: spec,
      commands: table.all,
      flags,
      operands,
      config,
      out,
      signal: interrupts.signal,
      interrupts,
      warn: (warning) => warnings.set(warning.message, warning),
    };
    const code = await execute(invocation);
    await tellWarnings(warnings, out);
    return code;
  } catch (error) {
    if (error instanceof BrokenPipe) return 141; // 128 + SIGPIPE, as every filter ends
    await tellWarnings(warnings, out);
    process.removeAllListeners("uncaughtException");
    const code = await report(error, { command: command(), debug, out });
    const reason: unknown = interrupted?.reason;
    return reason instanceof Interrupted ? reason.exitCode : code;
  }
}

function surroundings(): Config {
  return readConfig({
    env: process.env,
    uid: hostUser(process.env, process.getuid?.() ?? 0),
    home: homedir(),
    cwd: currentDirectory(),
    stderrIsTerminal: isatty(2),
    readFile: readIfThere,
    breach: findBreach,
  });
}

function currentDirectory(): string {
  try {
    return process.cwd();
  } catch (cause) {
    throw new UsageError("Cannot work in this directory: it was removed", { code: "E_CONFIG", cause, hint: "cd ~" });
  }
}

/** Bytes of the largest configuration file. */
const maxConfig = 1 << 20;

function readIfThere(path: string): string | undefined {
  try {
    return readRegular(path, maxConfig).toString("utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EACCES") return undefined;
    if (code !== undefined) throw error;
    throw new UsageError(`Cannot read the configuration: ${errorMessage(error)}`, {
      code: "E_CONFIG",
      cause: error,
      hint: "remove it",
    });
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

async function printHelp(request: Extract<Request, { readonly kind: "help" }>, out: Output): Promise<number> {
  const { commandHelp, generalHelp } = await import("../help/help.ts");
  out.result(request.command === undefined ? generalHelp(table) : commandHelp(request.command));
  return 0;
}

async function printCompletion(words: readonly string[], out: Output): Promise<number> {
  const { answerShell } = await import("../completion/answer.ts");
  out.result(answerShell(table, words, surroundings()));
  return 0;
}

async function printVersion(out: Output): Promise<number> {
  const { packageVersion } = await import("../host/package-version.ts");
  out.result(`tsbuild ${packageVersion()}\n`);
  return 0;
}

async function tellWarnings(warnings: ReadonlyMap<string, Warning>, out: Output): Promise<void> {
  if (warnings.size === 0) return;
  const { renderWarning } = await import("../errors/warning.ts");
  const color = wantsColor(process.env, isatty(2));
  for (const warning of warnings.values()) out.notice(renderWarning(warning, color));
  if (ciService(process.env) !== "github") return;
  const { annotation } = await import("../errors/annotation.ts");
  for (const { code, message } of warnings.values()) {
    out.control(`${annotation("warning", { title: code, message })}\n`);
  }
}

interface Reported {
  readonly command: string | undefined;
  readonly debug: boolean;
  readonly out: Output;
}

async function report(error: unknown, { command, debug, out }: Reported): Promise<number> {
  const { exitCodeOf } = await import("../errors/exit-code.ts");
  const { errorAnnotation, renderError } = await import("../errors/render.ts");
  out.notice(renderError(error, { color: wantsColor(process.env, isatty(2)), debug }));
  if (ciService(process.env) === "github") out.control(errorAnnotation(error));
  return exitCodeOf(error, command);
}
