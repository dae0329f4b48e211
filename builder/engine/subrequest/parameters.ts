import type { ArgInstruction } from "../../dockerfile/ast.ts";
import type { SourceLocation } from "../../base/location.ts";
import type { ConvertObserver, FileFacts, FromFacts, StepFacts } from "../../convert/observer.ts";
import { description } from "./description.ts";

/** An ARG that a target uses. `value`: what it has in this build; "" also when it has none. */
export interface OutlineArg {
  readonly name: string;
  readonly value: string;
  /** Of the comment above it: `# NAME what it is for`. */
  readonly description: string;
  readonly location: SourceLocation;
}

/** A secret or an SSH agent that a step mounts. */
export interface OutlineMount {
  readonly name: string;
  readonly required: boolean;
  readonly location: SourceLocation;
}

/** A directory that `RUN --mount=type=cache` keeps between builds. */
export interface OutlineCache {
  readonly id: string;
  readonly location: SourceLocation;
}

/** What one stage takes. `used`: names of its ARGs and of those that stand in its FROM. */
export interface StageParameters {
  readonly used: Set<string>;
  /** Without those that only take what stands before the first FROM. */
  readonly args: Map<string, OutlineArg>;
  readonly secrets: OutlineMount[];
  readonly ssh: OutlineMount[];
  readonly caches: OutlineCache[];
}

/** Notes what stages take while they are converted. */
export class ParameterCollector implements ConvertObserver {
  /** TARGETPLATFORM and the like. */
  predefined: ReadonlyMap<string, string> = new Map();
  readonly #stages = new Map<number, StageParameters>();
  readonly #buildArgs: ReadonlyMap<string, string>;
  #globals: ReadonlyMap<string, string> = new Map();

  constructor(buildArgs: ReadonlyMap<string, string>) {
    this.#buildArgs = buildArgs;
  }

  stage(index: number): StageParameters {
    let known = this.#stages.get(index);
    if (known === undefined) {
      known = { used: new Set(), args: new Map(), secrets: [], ssh: [], caches: [] };
      this.#stages.set(index, known);
    }
    return known;
  }

  file({ predefined }: FileFacts): void {
    this.predefined = predefined;
  }

  from({ stage, image, platform, args }: FromFacts): void {
    this.#globals = args;
    for (const name of [...image.matched, ...(platform?.matched ?? [])]) this.stage(stage.index).used.add(name);
  }

  applied({ state, instruction }: StepFacts): void {
    const stage = this.stage(state.stage.index);
    const { op } = state.vertex;
    if (instruction.kind === "ARG") this.#args(stage, instruction, state.args);
    if (instruction.kind !== "RUN" || op.kind !== "run") return;
    const { location } = instruction;
    for (const mount of op.mounts ?? []) {
      if (mount.kind === "secret") stage.secrets.push({ name: mount.id, required: mount.required, location });
      if (mount.kind === "ssh") stage.ssh.push({ name: mount.id, required: mount.required, location });
      if (mount.kind === "cache") stage.caches.push({ id: mount.id, location });
    }
  }

  base(): void {
    // Says nothing of parameters, as do the two below.
  }
  step(): void {
    // What a step takes is known once it has been applied.
  }
  unset(): void {
    // A variable without a value is no parameter.
  }

  #args(
    stage: StageParameters,
    { args, comments, location }: ArgInstruction,
    declared: StepFacts["state"]["args"],
  ): void {
    for (const { key, value: written } of args) {
      stage.used.add(key);
      if (written === undefined && !this.#buildArgs.has(key) && this.#globals.has(key)) continue;
      const value = declared.findLast((one) => one.key === key)?.value ?? "";
      stage.args.set(key, { name: key, value, description: description(comments, key), location });
    }
  }
}
