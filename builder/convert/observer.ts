import type { Platform } from "../../store/oci/platform.ts";
import type { DockerfileAst, Instruction, Stage } from "../dockerfile/ast.ts";
import type { Expanded } from "../dockerfile/expand.ts";
import type { SourceLocation } from "../base/location.ts";
import type { StageState } from "./stage-state.ts";

/** The file once it has been read. `predefined`: TARGETPLATFORM and the like with their --build-arg. */
export interface FileFacts {
  readonly ast: DockerfileAst;
  readonly predefined: ReadonlyMap<string, string>;
}

/** FROM of a stage with its variables in place. */
export interface FromFacts {
  readonly stage: Stage;
  readonly image: Expanded;
  readonly platform: Expanded | undefined;
  /** ARGs before the first FROM and the predefined ones. */
  readonly args: ReadonlyMap<string, string>;
  /** Names that FROM may use: the same, and those without a value. */
  readonly declared: readonly string[];
}

/** An image that was looked up, for FROM or as a source. */
export interface BaseFacts {
  /** As written, variables replaced. */
  readonly name: string;
  /** Of the whole instruction, and of the name in it. */
  readonly location: SourceLocation;
  readonly at: SourceLocation;
  /** Above the instruction. */
  readonly comments: readonly string[];
  readonly expected: Platform;
  readonly actual: Platform;
}

/** An instruction of a stage that is about to be applied to its state. */
export interface StepFacts {
  readonly state: StageState;
  readonly instruction: Instruction;
  /** All of the stage, triggers of the base first; `index` is this one's. */
  readonly steps: readonly Instruction[];
  readonly index: number;
}

/** A variable without a value. `known`: the variables there are. */
export interface UnsetFacts {
  readonly state: StageState;
  readonly instruction: Instruction;
  readonly name: string;
  readonly known: readonly string[];
}

/** Told what a conversion finds out; the steps of a stage in order, stages in none. */
export interface ConvertObserver {
  /** Before anything else. */
  readonly file: (facts: FileFacts) => void;
  /** Of every stage of the file, in order, before any of them is looked at. */
  readonly from: (facts: FromFacts) => void;
  readonly base: (facts: BaseFacts) => void;
  readonly step: (facts: StepFacts) => void;
  /** The same once the instruction has been applied. */
  readonly applied?: (facts: StepFacts) => void;
  readonly unset: (facts: UnsetFacts) => void;
}
