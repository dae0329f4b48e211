import type { RunMount } from "../../graph/opspec.ts";
import type { SecretSource } from "../../inputs/secrets/secrets.ts";
import type { OpContext } from "../../solve/op.ts";
import type { SolvedStep } from "../../solve/step.ts";
import type { SshSource } from "../../inputs/ssh/agents.ts";

/** The caches that a build emptied for steps without cache, by their keys: each once. */
export type EmptiedCaches = Map<string, Promise<void>>;

/** What mounts are made of. */
export interface MountResources {
  readonly mounts: readonly RunMount[];
  readonly inputs: readonly SolvedStep[];
  readonly secrets: SecretSource;
  /** undefined: there are no agents. */
  readonly ssh: SshSource | undefined;
  readonly context: OpContext;
  /** Of a step that takes nothing from the cache: its caches are emptied, unless they are among these. */
  readonly emptied: EmptiedCaches | undefined;
}
