import type { SourceLocation } from "../base/location.ts";

/** A word as written (quotes and escapes kept; expansion comes later) and its place. */
export interface Word {
  readonly raw: string;
  readonly location: SourceLocation;
}

/** `--name=value`, or `--name` alone (value ""). */
export interface Flag {
  readonly name: string;
  readonly value: string;
  readonly hasValue: boolean;
  readonly location: SourceLocation;
}

/**
 * `[fd]<<[-]WORD`. `expand` is false when a part of WORD was quoted; `body` is as written, `content` without leading tabs
 * if `chomp`.
 */
export interface Heredoc {
  readonly name: string;
  readonly fd: number;
  readonly expand: boolean;
  readonly chomp: boolean;
  readonly body: string;
  readonly content: string;
  readonly location: SourceLocation;
}

/** Exec form: the JSON array's strings. Shell form: one string, as the shell gets it. */
export type CommandLine =
  | { readonly form: "exec"; readonly args: readonly string[] }
  | { readonly form: "shell"; readonly text: string };

interface InstructionBase {
  /** As written, continuation lines joined: BuildKit's `Original`. */
  readonly original: string;
  /** Of the whole instruction with its heredocs. */
  readonly location: SourceLocation;
  /** Of its lines alone, without heredocs. */
  readonly lines: SourceLocation;
  /** Of the keyword alone. */
  readonly keyword: SourceLocation;
  readonly flags: readonly Flag[];
  readonly heredocs: readonly Heredoc[];
  /** Comment lines directly above, without `#`. */
  readonly comments: readonly string[];
  /** Empty lines between its lines. */
  readonly emptyLines: readonly SourceLocation[];
}

/** A key and value as written. ARG without default: `value` undefined. */
export interface KeyValue {
  readonly key: string;
  readonly value: string | undefined;
  readonly location: SourceLocation;
}

export interface FromInstruction extends InstructionBase {
  readonly kind: "FROM";
  readonly image: Word;
  /** After AS, lower-cased. */
  readonly name: string | undefined;
  /** AS and the name as written. */
  readonly alias: { readonly keyword: Word; readonly name: Word } | undefined;
  readonly platform: string | undefined;
}
export interface ArgInstruction extends InstructionBase {
  readonly kind: "ARG";
  readonly args: readonly KeyValue[];
}
export interface EnvInstruction extends InstructionBase {
  readonly kind: "ENV";
  readonly pairs: readonly { readonly key: string; readonly value: string; readonly location: SourceLocation }[];
  /** `ENV key value`: the form without `=`. */
  readonly legacy: boolean;
}
export interface LabelInstruction extends InstructionBase {
  readonly kind: "LABEL";
  readonly pairs: readonly { readonly key: string; readonly value: string; readonly location: SourceLocation }[];
  readonly legacy: boolean;
}
export interface RunInstruction extends InstructionBase {
  readonly kind: "RUN";
  readonly command: CommandLine;
}
export interface CopyInstruction extends InstructionBase {
  readonly kind: "COPY" | "ADD";
  readonly sources: readonly Word[];
  readonly dest: Word;
  /** Without a value it is as if it were not there. */
  readonly from: string | undefined;
  readonly chown: string | undefined;
  readonly chmod: string | undefined;
  readonly link: boolean;
  readonly parents: boolean;
  readonly exclude: readonly string[];
  readonly checksum: string | undefined;
  readonly keepGitDir: boolean | undefined;
  readonly unpack: boolean | undefined;
}
export interface CmdInstruction extends InstructionBase {
  readonly kind: "CMD" | "ENTRYPOINT";
  readonly command: CommandLine;
}
export interface ShellInstruction extends InstructionBase {
  readonly kind: "SHELL";
  readonly shell: readonly string[];
}
export interface WordsInstruction extends InstructionBase {
  readonly kind: "EXPOSE" | "VOLUME";
  readonly words: readonly Word[];
}
export interface WordInstruction extends InstructionBase {
  readonly kind: "USER" | "WORKDIR" | "STOPSIGNAL";
  readonly word: Word;
}
/** Durations in nanoseconds; undefined = not given. */
export interface HealthcheckInstruction extends InstructionBase {
  readonly kind: "HEALTHCHECK";
  readonly test: { readonly form: "none" } | CommandLine;
  readonly interval: number | undefined;
  readonly timeout: number | undefined;
  readonly startPeriod: number | undefined;
  readonly startInterval: number | undefined;
  readonly retries: number | undefined;
}
export interface OnbuildInstruction extends InstructionBase {
  readonly kind: "ONBUILD";
  /** The trigger's text as config.OnBuild stores it, with heredoc bodies. */
  readonly trigger: string;
}
export interface MaintainerInstruction extends InstructionBase {
  readonly kind: "MAINTAINER";
  readonly name: string;
}

export type Instruction =
  | FromInstruction
  | ArgInstruction
  | EnvInstruction
  | LabelInstruction
  | RunInstruction
  | CopyInstruction
  | CmdInstruction
  | ShellInstruction
  | WordsInstruction
  | WordInstruction
  | HealthcheckInstruction
  | OnbuildInstruction
  | MaintainerInstruction;

/** FROM and what follows it up to the next FROM. */
export interface Stage {
  readonly index: number;
  readonly name: string | undefined;
  readonly from: FromInstruction;
  readonly instructions: readonly Instruction[];
}

/** A directive comment such as `# escape=`. */
export interface Directive {
  readonly name: string;
  readonly value: string;
  readonly location: SourceLocation;
}

/** A parsed Dockerfile. */
export interface DockerfileAst {
  readonly file: string;
  readonly text: string;
  readonly escape: "\\" | "`";
  readonly directives: readonly Directive[];
  /** ARGs before the first FROM. */
  readonly globalArgs: readonly ArgInstruction[];
  readonly stages: readonly Stage[];
}
