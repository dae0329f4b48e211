import type { Container } from "../../../runtime/index.ts";
import type { Digest } from "../../../store/oci/digest.ts";
import { openShell, type ShellSettings, type StoppedStep } from "./open.ts";
import type { ShellPlace } from "./place.ts";

/** A shell that can be opened: where, and the act that does it. */
export interface OfferedShell {
  /** `after line 7 (RUN) of stage build`, or the step that failed. */
  readonly where: string;
  /** Why the step failed; undefined when a shell was asked for at a place. */
  readonly failure: Error | undefined;
  readonly start: (settings: Omit<ShellSettings, "command">) => Promise<Container>;
}

/** Shells in a build, for people. */
export interface DebugOptions {
  /** A shell here, and nothing else is built; undefined: where a RUN fails, in the state it left. */
  readonly at?: ShellPlace;
  /** In place of a shell. */
  readonly command?: readonly string[];
  /** Starts the shell and stays until it has ended; resolves with its exit code. Called once at most. */
  readonly attend: (offered: OfferedShell) => Promise<number>;
}

/** Thrown through the solver when a shell that stands for a step has ended: the way out, and no failure. */
export class ShellEnded extends Error {
  override readonly name: string = "ShellEnded";
  readonly exitCode: number;

  constructor(exitCode: number) {
    super("The shell has ended");
    this.exitCode = exitCode;
  }
}

/** Opens the shell of one build, at the place that was asked for or at the first failure. */
export class ShellOpener {
  readonly #options: DebugOptions;
  readonly #at: { readonly vertex: Digest; readonly where: string } | undefined;
  #opened = false;

  constructor(options: DebugOptions, at: { readonly vertex: Digest; readonly where: string } | undefined) {
    this.#options = options;
    this.#at = at;
  }

  /** Whether a shell takes the place of the step. */
  replaces(vertex: Digest): boolean {
    return this.#at?.vertex === vertex;
  }

  /** To be called before a step runs. @throws ShellEnded when a shell took its place */
  async before(vertex: Digest, step: StoppedStep): Promise<void> {
    if (this.#at?.vertex === vertex) throw new ShellEnded(await this.#open(step, this.#at.where, undefined));
  }

  /** To be called when a step failed and its file system is still there. */
  async failed(name: string, step: StoppedStep, failure: Error): Promise<void> {
    if (this.#at === undefined && !this.#opened) await this.#open(step, name, failure);
  }

  async #open(step: StoppedStep, where: string, failure: Error | undefined): Promise<number> {
    this.#opened = true;
    const { command = [], attend } = this.#options;
    const start: OfferedShell["start"] = async (settings) => await openShell(step, { ...settings, command });
    return await attend({ where, failure, start });
  }
}
