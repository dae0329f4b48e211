import { Build } from "./build.ts";
import type { BuildOptions } from "./options.ts";

export type { BuildEvent, BuildResult, ProgressSink, VertexInfo } from "./events.ts";
export type { BuildOptions, EngineOptions, OutputSpec, PullPolicy, RegistryOptions, RunOptions } from "./options.ts";
export { Build } from "./build.ts";
export { DockerfileError } from "./dockerfile/error.ts";
export { pull, push, type TransferOptions, type TransferResult } from "./transfer.ts";
export { run, startImage, RunError, runExitCodes, type RunningImage } from "./run.ts";
export { TsbuildError } from "../native/errors.ts";

/**
 * Builds an image. Iterate the returned value for its events (or give `onEvent`), await `.result` for what it made.
 * @throws through `.result`: DockerfileError with a place, TsbuildError otherwise
 */
export function build(options: BuildOptions): Build {
  return new Build(options);
}
