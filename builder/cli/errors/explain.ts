import { DockerfileError } from "../../base/error.ts";
import { usualHint } from "./usual-hints.ts";
import { errorMessage, SyscallError, TsbuildError } from "../../../native/errors.ts";
import { longPathHint } from "../../../native/pathname.ts";

/** An error as it is told to a person: what every thrown value is reduced to. */
export interface Explanation {
  readonly code: string;
  readonly message: string;
  readonly notes: readonly string[];
  readonly hint: string | undefined;
  /** The place in a Dockerfile, when there is one. */
  readonly at: DockerfileError | undefined;
}

/** Never throws; a value that is none of our errors is an internal one. */
export function explain(thrown: unknown): Explanation {
  if (thrown instanceof SuppressedError) return withCleanup(explain(thrown.suppressed), thrown.error);
  const errno = errnoOf(thrown);
  const known = errno === undefined ? undefined : system.get(errno);
  if (thrown instanceof TsbuildError) {
    return {
      code: known !== undefined && thrown.code.startsWith("E_SYS_") ? known.code : thrown.code,
      message: thrown.message,
      notes: thrown.notes,
      hint: thrown.hint ?? known?.hint ?? causeHint(thrown.cause) ?? usualHint(thrown.code) ?? unexpectedOf(thrown),
      at: thrown instanceof DockerfileError ? thrown : undefined,
    };
  }
  if (thrown instanceof Error && isAbort(thrown)) {
    return { code: "E_CANCELED", message: "Canceled", notes: [], hint: undefined, at: undefined };
  }
  if (known !== undefined) {
    return { code: known.code, message: systemMessage(thrown), notes: [], hint: known.hint, at: undefined };
  }
  if (errno !== undefined && thrown instanceof Error && "syscall" in thrown) {
    return { code: `E_SYS_${errno}`, message: systemMessage(thrown), notes: [], hint: unexpected, at: undefined };
  }
  return {
    code: "E_INTERNAL",
    message: `Internal error: ${thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown)}`,
    notes: [],
    hint: "this is a fault of tsbuild: run it again with --debug and report what it prints",
    at: undefined,
  };
}

/** Whether the error only says that the caller's signal was aborted. */
function isAbort(thrown: unknown): boolean {
  if (thrown instanceof SuppressedError) return isAbort(thrown.suppressed);
  if (thrown instanceof TsbuildError) return thrown.code === "E_CANCELED" || thrown.code === "E_ABORTED";
  return thrown instanceof Error && (thrown.name === "AbortError" || thrown.name === "Interrupted");
}

/** The thrown value, its cause, the cause of that, ...: at most ten. */
export function causes(thrown: unknown): readonly unknown[] {
  const chain: unknown[] = [];
  for (let at = thrown; at !== undefined && at !== null && chain.length < 10;) {
    if (chain.includes(at)) break;
    chain.push(at);
    at = at instanceof SuppressedError ? at.suppressed : at instanceof Error ? at.cause : undefined;
  }
  return chain;
}

/** Of a system call that nothing better is known about. */
const unexpected = "check that path and its file system; --debug shows where it happened";

function unexpectedOf({ code }: TsbuildError): string | undefined {
  return code.startsWith("E_SYS_") ? unexpected : undefined;
}

/** Node's `EROFS: read-only file system, open '/x'` as all messages are: `Cannot open '/x': read-only file system`. */
function systemMessage(thrown: unknown): string {
  const text = errorMessage(thrown);
  const parts = /^[A-Z0-9]+: (?<what>[^,]+), (?<call>[a-z]\w*.*)$/s.exec(text)?.groups;
  return parts === undefined ? text : `Cannot ${parts["call"]}: ${parts["what"]}`;
}

interface SystemAdvice {
  readonly code: string;
  readonly hint: string;
}

const advice: Readonly<Record<string, SystemAdvice>> = {
  ENOSPC: {
    code: "E_NO_SPACE",
    hint: "free some: tsbuild prune, or tsbuild prune --all for the whole cache; or use another disk: --root DIR",
  },
  EDQUOT: { code: "E_NO_SPACE", hint: "this user's disk quota is used up; put the store elsewhere: --root DIR" },
  EROFS: { code: "E_READ_ONLY", hint: "the file system is read-only; put the store elsewhere: --root DIR" },
  EACCES: { code: "E_PERMISSION", hint: "check the owner and mode of that path, or run as root" },
  EPERM: { code: "E_PERMISSION", hint: "run as root, or in a container that may mount and make namespaces" },
  EMFILE: { code: "E_TOO_MANY_FILES", hint: "ulimit -n 65536" },
  ENFILE: { code: "E_TOO_MANY_FILES", hint: "the machine's limit of open files is reached (fs.file-max)" },
  ENAMETOOLONG: { code: "E_PATH_TOO_LONG", hint: longPathHint },
  ENOMEM: { code: "E_NO_MEMORY", hint: "free memory, or raise the limit of this container" },
};
const system: ReadonlyMap<string, SystemAdvice> = new Map(Object.entries(advice));

function errnoOf(thrown: unknown): string | undefined {
  if (thrown instanceof SyscallError) return thrown.errno;
  if (!(thrown instanceof Error)) return undefined;
  // A Dockerfile's step has the code of what failed in it.
  if (thrown instanceof TsbuildError) return /^E_SYS_([A-Z0-9]+)$/.exec(thrown.code)?.[1];
  return "code" in thrown && typeof thrown.code === "string" ? thrown.code : undefined;
}

/** The advice of a system error deeper down, when the outer error has none of its own. */
function causeHint(cause: unknown): string | undefined {
  for (const inner of causes(cause)) {
    if (inner instanceof TsbuildError && inner.hint !== undefined) return inner.hint;
    const errno = errnoOf(inner);
    const known = errno === undefined ? undefined : system.get(errno);
    if (known !== undefined) return known.hint;
  }
  return undefined;
}

function withCleanup(first: Explanation, cleanup: unknown): Explanation {
  return { ...first, notes: [...first.notes, `and the cleanup failed: ${errorMessage(cleanup)}`] };
}
