import type { Config } from "../config/config.ts";
import type { ParsedFlags } from "./parsed-flags.ts";
import type { Interrupts } from "../terminal/interrupts.ts";
import type { Output } from "../terminal/output.ts";

/** One flag of a command. The table made of these is the only source of parsing, help, suggestions and completions. */
export interface FlagSpec {
  readonly name: string;
  readonly short?: string;
  /** What others call it: read, and shown nowhere. */
  readonly alias?: string;
  /** bool: `--rm`, `--rm=false`. string: the last one wins. list: every use adds one. */
  readonly kind: "bool" | "string" | "list";
  /** Placeholder in help: `NAME`. */
  readonly value?: string;
  /** The value of `--flag` alone; `--flag VALUE` is then two words, as with docker's `--pull`. */
  readonly bare?: string;
  /** The only values allowed. */
  readonly choices?: readonly string[];
  readonly help: string;
}

/** A flag that docker has and tsbuild has not: refused by name. `noop` values ask for what happens anyway. */
export interface MissingFlag {
  readonly name: string;
  readonly short?: string;
  /** Values that ask for what happens anyway; "" is the flag without one. */
  readonly noop?: readonly string[];
  /** What does the same here. */
  readonly instead?: string;
}

/** A subcommand. */
export interface CommandSpec {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  /** What follows `tsbuild NAME [flags]`. */
  readonly operands: string;
  readonly min: number;
  readonly max: number;
  /** The hint when there are too few. */
  readonly lacking?: (flags: ParsedFlags) => string;
  /** The first operand ends the flags: the rest belongs to the container's command. */
  readonly stopAtOperand?: boolean;
  readonly flags: readonly FlagSpec[];
  readonly missing?: readonly MissingFlag[];
  readonly examples: readonly string[];
  /** The general help only names it. */
  readonly rare?: boolean;
  /** It needs no rights that a plain user has only in a user namespace. */
  readonly plain?: boolean | ((flags: ParsedFlags) => boolean);
  /** It does nothing with the store. */
  readonly storeless?: boolean;
  readonly load: () => Promise<{ readonly execute: Execute }>;
}

/** What does not stop the work, told once at its end. */
export interface Warning {
  /** Stable: `W_CREDENTIAL_HELPER`. */
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

/** What a command gets to work with; `signal` is aborted by SIGINT, SIGTERM and SIGHUP. */
export interface Invocation {
  readonly command: CommandSpec;
  /** Every command, for the manual. */
  readonly commands: readonly CommandSpec[];
  readonly flags: ParsedFlags;
  readonly operands: readonly string[];
  readonly config: Config;
  readonly out: Output;
  readonly signal: AbortSignal;
  readonly interrupts: Interrupts;
  readonly warn: (warning: Warning) => void;
}

/** Runs a command; the number is the exit code. */
export type Execute = (invocation: Invocation) => Promise<number>;
