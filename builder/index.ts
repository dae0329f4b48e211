import { checkOptions } from "../native/arguments.ts";
import type { ListedImage } from "../store/image/list.ts";
import { openStore } from "../store/open.ts";
import { Build } from "./build.ts";
import type { BuildResult } from "./events.ts";
import type { ExportImageOptions } from "./export-image.ts";
import type { ImportOptions } from "./import-image.ts";
import type { BuildOptions, EngineOptions } from "./options.ts";
import { buildTable, imagesTable } from "./option-tables.ts";
import type { CheckResult } from "./subrequest/check.ts";
import type { Outline } from "./subrequest/outline.ts";
import type { TargetList } from "./subrequest/targets.ts";

export type { BuildEvent, BuildResult, ProgressSink, VertexInfo } from "./events.ts";
export type { BuildOptions, EngineOptions, OutputSpec, PullPolicy, RegistryOptions, RunOptions } from "./options.ts";
export { Build } from "./build.ts";
export type { ExportImageOptions } from "./export-image.ts";
export type { ImportOptions, RootArchive } from "./import-image.ts";
export { DockerfileError } from "./dockerfile/error.ts";
export { pull, push, type PullOptions, type TransferOptions, type TransferResult } from "./transfer.ts";
export { run, startImage, RunError, runExitCodes, type RunningImage } from "./run.ts";
export { TsbuildError } from "../native/errors.ts";
export type { ListedImage } from "../store/image/list.ts";
export type { CheckResult, CheckWarning } from "./subrequest/check.ts";
export type { Outline } from "./subrequest/outline.ts";
export type { OutlineArg, OutlineCache, OutlineMount } from "./subrequest/parameters.ts";
export type { Target, TargetList } from "./subrequest/targets.ts";

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

/** An image of one layer, the files of an archive. @throws E_IMPORT, DockerfileError for a change that cannot be read */
export async function importImage(options: ImportOptions): Promise<BuildResult> {
  return await (await import("./import-image.ts")).importImage(options);
}

/** The file system of an image of the store as one tar. @throws E_IMAGE_NOT_FOUND, E_OUTPUT_FILE */
export async function exportImage(options: ExportImageOptions): Promise<void> {
  await (await import("./export-image.ts")).exportImage(options);
}

/**
 * Checks a Dockerfile without building it: the stages that `target` needs, without it all. Needs no root, writes nothing
 * to the store, and fetches only documents of base images. @throws TsbuildError when there is no Dockerfile to check
 */
export async function check(options: BuildOptions): Promise<CheckResult> {
  checkOptions("check", options, buildTable);
  const { runCheck } = await import("./subrequest/check.ts");
  return await runCheck(options);
}

/** What a build of a target can be given: ARGs, secrets, SSH agents, cache mounts. @throws DockerfileError, TsbuildError */
export async function outline(options: BuildOptions): Promise<Outline> {
  checkOptions("outline", options, buildTable);
  const { runOutline } = await import("./subrequest/outline.ts");
  return await runOutline(options);
}

/** The stages of a Dockerfile. @throws DockerfileError, TsbuildError */
export async function targets(options: BuildOptions): Promise<TargetList> {
  checkOptions("targets", options, buildTable);
  const { runTargets } = await import("./subrequest/targets.ts");
  return await runTargets(options);
}
