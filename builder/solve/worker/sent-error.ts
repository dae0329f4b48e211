import { SyscallError, TsbuildError } from "../../../native/errors.ts";
import type { SentError } from "./task.ts";

/** The error as plain values. */
export function sendError(error: unknown): SentError {
  const known = error instanceof TsbuildError ? error : undefined;
  const plain = error instanceof Error ? error : new Error(String(error));
  const code = known?.code ?? ("code" in plain ? String(plain.code) : undefined);
  return {
    message: plain.message,
    stack: plain.stack,
    code,
    hint: known?.hint,
    notes: known?.notes ?? [],
    syscall: error instanceof SyscallError ? { name: error.syscall, errno: error.errno, path: error.path } : undefined,
    cause: plain.cause === undefined ? undefined : sendError(plain.cause),
  };
}

/** The error as it was thrown, of the same class where that is one of ours. */
export function receiveError(sent: SentError): Error {
  const error = rebuild(sent);
  if (sent.stack !== undefined) error.stack = sent.stack;
  return error;
}

function rebuild({ message, code, hint, notes, syscall, cause: below }: SentError): Error {
  const cause = below === undefined ? undefined : receiveError(below);
  if (syscall !== undefined) return new SyscallError(syscall.name, syscall.errno, syscall.path, cause);
  if (code === undefined) return new Error(message, { cause });
  return new TsbuildError(message, { code, cause, notes, ...(hint === undefined ? {} : { hint }) });
}
