import { TsbuildError } from "../../native/errors.ts";
import { tooLongHint } from "../../native/process.ts";
import { StartError, type ExitStatus } from "../../runtime/index.ts";
import { hostPlatform } from "../../store/oci/platform.ts";
import { lowerDirs, type ActiveSnapshot } from "../../store/snapshot/snapshotter.ts";
import { DockerfileError } from "../base/error.ts";
import type { SourceLocation } from "../base/location.ts";
import { suggest } from "../base/suggest.ts";
import type { RunOp } from "../graph/opspec.ts";
import type { Vertex } from "../graph/vertex.ts";
import type { OpContext } from "../solve/op.ts";
import { foreignHint, foreignMachine } from "./elf-machine.ts";
import { programs } from "./container/programs.ts";
import { directoryHint, typeInside } from "./container/start-failure.ts";

/** A RUN that did not end with 0. */
export interface FailedRun {
  readonly op: RunOp;
  readonly vertex: Vertex;
  readonly context: OpContext;
  /** The Dockerfile's text. */
  readonly source: string;
  /** What it left: where programs with a similar name are looked for. */
  readonly active: ActiveSnapshot;
}

/** The error of a command that ran: its last lines, and for one that was not found the place of its name. */
export function runFailed(run: FailedRun, status: ExitStatus, tail: readonly string[], known?: string): Error {
  const { location } = run.vertex;
  const log = run.context.logPath(run.vertex.digest);
  const how = status.kind === "exited" ? `exited with code ${status.code}` : `was killed by signal ${status.signal}`;
  const missing = status.kind === "exited" && status.code === 127 ? missingCommand(tail) : undefined;
  const said = missing === undefined ? tail : tail.filter((line) => line !== missing.line);
  const hint =
    known ?? foreignNamed(run, status, tail) ?? tooLong(status, tail) ?? hintFor(run, status, missing?.command);
  const options = {
    code: "E_RUN_FAILED",
    notes: log === undefined ? said : [...said, `full log: ${log}`],
    ...(hint === undefined ? {} : { hint }),
  };
  if (location === undefined) return new TsbuildError(`RUN ${how}`, options);
  const place = missing === undefined ? undefined : placeOf(missing.command, run.source, location);
  return new DockerfileError(`RUN ${how}`, {
    ...options,
    location: place ?? location,
    source: run.source,
    step: run.vertex.name,
    ...(missing === undefined ? {} : { label: missing.line }),
  });
}

/** A command that could not be executed is the step's failure, not the engine's. */
export function notStarted(run: FailedRun, error: unknown): Error | undefined {
  if (!(error instanceof StartError) || !error.code.startsWith("E_EXEC_")) return undefined;
  const code = error.code === "E_EXEC_NOT_FOUND" ? 127 : 126;
  const failed = runFailed(run, { kind: "exited", code }, [error.message], startHint(run, error));
  const shell = run.op.args[0] === "/bin/sh" && code === 127;
  if (!shell || !(failed instanceof DockerfileError)) return failed;
  return new DockerfileError("RUN needs a shell, and this file system has no /bin/sh", {
    code: "E_RUN_FAILED",
    location: run.vertex.location ?? failed.location,
    source: failed.source,
    cause: error,
    hint: 'use the exec form RUN ["/program", "argument"], or a base image with a shell (scratch has none)',
  });
}

/** What the error itself knows, but for names that are not there: those near to them are a better help. */
function startHint(run: FailedRun, { errno, hint }: StartError): string | undefined {
  if (errno === "ENOENT") return undefined;
  const [program = ""] = run.op.args;
  if (errno === "EACCES" && typeInside(layersOf(run), program) === "directory") return directoryHint;
  return (errno === "ENOEXEC" ? foreignAdvice(run, program) : undefined) ?? hint;
}

/** With what shells end that were to start a program and could not, or read it as a script. */
const cannotExecute: readonly number[] = [2, 126, 127];

/** Of a program that the shell could not start: its words name it. */
function foreignNamed(run: FailedRun, status: ExitStatus, tail: readonly string[]): string | undefined {
  if (status.kind !== "exited" || !cannotExecute.includes(status.code)) return undefined;
  const named = tail.flatMap((line) => shellWords.exec(line)?.groups?.["program"] ?? []);
  for (const program of new Set(named.slice(-4))) {
    const advice = foreignAdvice(run, program);
    if (advice !== undefined) return advice;
  }
  return undefined;
}

/** `/bin/sh: 1: PROGRAM: Exec format error`, and busybox's `PROGRAM: line 1: ...` */
const shellWords = /^(?:\S*sh: (?:(?:line )?\d+: )?)?(?<program>[^\s:]+): /;

function foreignAdvice(run: FailedRun, program: string): string | undefined {
  const machine = foreignMachine(layersOf(run), run.op.env, program);
  if (machine === undefined) return undefined;
  const { os, architecture } = hostPlatform();
  return foreignHint(machine, `build for it (--platform ${os}/${architecture}, FROM --platform=$BUILDPLATFORM)`);
}

/** Of a program whose arguments a shell made. */
function tooLong(status: ExitStatus, tail: readonly string[]): string | undefined {
  if (status.kind !== "exited" || !cannotExecute.includes(status.code)) return undefined;
  return tail.some((line) => line.endsWith(": Argument list too long")) ? tooLongHint : undefined;
}

function hintFor(run: FailedRun, status: ExitStatus, command: string | undefined): string | undefined {
  if (status.kind === "signaled") return "the kernel or another process killed it: look at its memory use";
  if (hasWindowsHeredoc(run)) {
    const file = run.vertex.location?.file ?? "Dockerfile";
    return `its heredoc has line ends of Windows (CRLF), which are text to the program that reads it: dos2unix ${file}`;
  }
  if (status.code === 127) {
    const near = command === undefined ? undefined : suggest(command, programs(layersOf(run), run.op.env));
    if (near !== undefined) return `did you mean \`${near}\`?`;
    return "the command was not found: install it in an earlier RUN, or check PATH";
  }
  if (status.code === 126) return "the command could not be executed: check its mode and its interpreter";
  return undefined;
}

function hasWindowsHeredoc({ source, vertex: { location } }: FailedRun): boolean {
  if (location === undefined) return false;
  const [first = "", ...body] = source.split("\n").slice(location.start.line - 1, location.end.line);
  return first.includes("<<") && body.some((line) => line.endsWith("\r"));
}

/** What busybox, dash and bash say of a command that is not there, and we of a program. */
const notFound: readonly RegExp[] = [
  /^\S*sh: (?:(?:line )?\d+: )?(?<command>[^\s:]+): (?:command )?not found$/,
  /^Cannot execute "(?<command>[^"]+)": ENOENT$/,
];

function missingCommand(tail: readonly string[]): { readonly command: string; readonly line: string } | undefined {
  for (const line of tail.toReversed()) {
    for (const pattern of notFound) {
      const command = pattern.exec(line)?.groups?.["command"];
      if (command !== undefined) return { command, line };
    }
  }
  return undefined;
}

/** Where the instruction has the word; a variable or a script may have made it. */
function placeOf(word: string, source: string, within: SourceLocation): SourceLocation | undefined {
  const lines = source.split(/\r?\n/);
  for (let line = within.start.line; line <= within.end.line; line++) {
    const text = lines[line - 1] ?? "";
    for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
      const whole = !/[\w./-]/.test(text[at - 1] ?? " ") && !/[\w./-]/.test(text[at + word.length] ?? " ");
      if (!whole) continue;
      const start = { line, column: at + 1 };
      return { file: within.file, start, end: { line, column: at + 1 + word.length } };
    }
  }
  return undefined;
}

function layersOf({ active }: FailedRun): readonly string[] {
  return [active.upper, ...lowerDirs(active.parent)];
}
