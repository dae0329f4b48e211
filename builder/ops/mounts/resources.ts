import type { RunMount } from "../../graph/opspec.ts";
import type { SecretSource } from "../../secrets.ts";
import type { OpContext } from "../../solve/op.ts";
import type { SolvedStep } from "../../solve/step.ts";

/** What mounts are made of. */
export interface MountResources {
  readonly mounts: readonly RunMount[];
  readonly inputs: readonly SolvedStep[];
  readonly secrets: SecretSource;
  readonly context: OpContext;
}
