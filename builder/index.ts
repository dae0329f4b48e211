import { checkOptions } from "../native/arguments.ts";
import type { ListedImage } from "../store/image/list.ts";
import { openStore } from "../store/open.ts";
import { Build } from "./engine/build.ts";
import type { BuildResult } from "./graph/events.ts";
import type { ExportImageOptions } from "./engine/export-image.ts";
import type { ImportOptions } from "./engine/import-image.ts";
import type { BuildOptions, EngineOptions } from "./options/options.ts";
import { buildTable, imagesTable } from "./options/option-tables.ts";
import type { ExplainedBuild } from "./engine/why.ts";
import type { PruneOptions, PruneResult } from "./options/prune.ts";
import type { WhyOptions } from "./options/why.ts";
import type { CheckResult } from "./engine/subrequest/check.ts";
import type { Outline } from "./engine/subrequest/outline.ts";
import type { TargetList } from "./engine/subrequest/targets.ts";

export type { BuildEvent, BuildResult, ProgressSink, VertexInfo } from "./graph/events.ts";
export type { BuildOptions, EngineOptions, OutputSpec, RegistryOptions, RunOptions } from "./options/options.ts";
export type { PullPolicy } from "./inputs/source/image/pull-policy.ts";
export { Build } from "./engine/build.ts";
export type { ExportImageOptions } from "./engine/export-image.ts";
export type { ImportOptions, RootArchive } from "./engine/import-image.ts";
export type { ExplainedBuild } from "./engine/why.ts";
export type { PrunedImage, PruneOptions, PruneResult } from "./options/prune.ts";
export type { WhyOptions } from "./options/why.ts";
export type { BuildRecord, StepRecord } from "./solve/record/record.ts";
export { causeText, type MissCause } from "./graph/causes.ts";
export { DockerfileError } from "./base/error.ts";
export { pull, push, type PullOptions } from "./engine/transfer.ts";
export { type TransferOptions, type TransferResult } from "./options/transfer.ts";
export { run, startImage, RunError, runExitCodes, type RunningImage } from "./engine/run.ts";
export { TsbuildError } from "../native/errors.ts";
export type { ListedImage } from "../store/image/list.ts";
export type { CheckResult, CheckWarning } from "./engine/subrequest/check.ts";
export type { Outline } from "./engine/subrequest/outline.ts";
export type { OutlineArg, OutlineCache, OutlineMount } from "./engine/subrequest/parameters.ts";
export type { Target, TargetList } from "./engine/subrequest/targets.ts";

/**
 * Builds an image. Iterate the returned value for its events (or give `onEvent`), await `.result` for what it made.
 * @throws through `.result`: DockerfileError with a place, TsbuildError otherwise
 */
export function build(options: BuildOptions): Build {
  return new Build(options);
}

/** The images of a store, the newest first. @throws E_STORE_OPEN, E_STORE_VERSION */
export async function images(options: Pick<EngineOptions, "root">): Promise<readonly ListedImage[]> {
  checkOptions("images", options, imagesTable);
  const { listImages } = await import("../store/image/list.ts");
  await using store = await openStore(options);
  return await listImages(store);
}

/**
 * Removes what no image and no recent step needs, or what is asked for: images and steps of the cache. What somebody uses
 * stays. @throws E_STORE_OPEN, E_STORE_VERSION, E_STORE_UNSAFE, E_STORE_BUSY
 */
export async function prune(options: PruneOptions): Promise<PruneResult> {
  return await (await import("./engine/prune.ts")).prune(options);
}

/** The last build that is meant, and why steps of it ran. @throws E_BUILD_NOT_FOUND, E_STORE_OPEN, E_STORE_VERSION */
export async function why(options: WhyOptions): Promise<ExplainedBuild> {
  return await (await import("./engine/why.ts")).why(options);
}

/** An image of one layer, the files of an archive. @throws E_IMPORT, DockerfileError for a change that cannot be read */
export async function importImage(options: ImportOptions): Promise<BuildResult> {
  return await (await import("./engine/import-image.ts")).importImage(options);
}

/** The file system of an image of the store as one tar. @throws E_IMAGE_NOT_FOUND, E_OUTPUT_FILE */
export async function exportImage(options: ExportImageOptions): Promise<void> {
  await (await import("./engine/export-image.ts")).exportImage(options);
}

/**
 * Checks a Dockerfile without building it: the stages that `target` needs, without it all. Needs no root, writes nothing
 * to the store, and fetches only documents of base images. @throws TsbuildError when there is no Dockerfile to check
 */
export async function check(options: BuildOptions): Promise<CheckResult> {
  checkOptions("check", options, buildTable);
  const { runCheck } = await import("./engine/subrequest/check.ts");
  return await runCheck(options);
}

/** What a build of a target can be given: ARGs, secrets, SSH agents, cache mounts. @throws DockerfileError, TsbuildError */
export async function outline(options: BuildOptions): Promise<Outline> {
  checkOptions("outline", options, buildTable);
  const { runOutline } = await import("./engine/subrequest/outline.ts");
  return await runOutline(options);
}

/** The stages of a Dockerfile. @throws DockerfileError, TsbuildError */
export async function targets(options: BuildOptions): Promise<TargetList> {
  checkOptions("targets", options, buildTable);
  const { runTargets } = await import("./engine/subrequest/targets.ts");
  return await runTargets(options);
}
