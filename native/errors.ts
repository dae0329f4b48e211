/** What every error class of the project carries beside its message. */
export interface TsbuildErrorOptions {
  /** Stable, greppable and documented: `E_LAYER_DIGEST_MISMATCH`. Match on it, never on the message. */
  readonly code: string;
  readonly cause?: unknown;
  /** The exact next command or act that helps; printed after `help:`. */
  readonly hint?: string;
  /** Facts that explain the error; each is printed after `=`. */
  readonly notes?: readonly string[];
}

/** The root of every error class. Message = act + object + state, sentence case, no final period. */
export class TsbuildError extends Error {
  override readonly name: string = "TsbuildError";
  readonly code: string;
  readonly hint: string | undefined;
  readonly notes: readonly string[];

  constructor(message: string, options: TsbuildErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    this.hint = options.hint;
    this.notes = options.notes ?? [];
  }
}

/** A system call that failed: `errno` is the name (`ENOENT`), `path` what it was called on. */
export class SyscallError extends TsbuildError {
  override readonly name: string = "SyscallError";
  readonly syscall: string;
  readonly errno: string;
  readonly path: string | undefined;

  constructor(syscall: string, errno: string, path?: string, cause?: unknown) {
    const on = path === undefined ? "" : ` ${JSON.stringify(path)}`;
    super(`Cannot ${syscall}${on}: ${errno}`, { code: `E_SYS_${errno}`, cause });
    this.syscall = syscall;
    this.errno = errno;
    this.path = path;
  }
}

/** The text to show for a thrown value of any kind. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
