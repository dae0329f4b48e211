import { digestOf } from "../../store/oci/digest.ts";
import { imageID, platformOf, type Image, type NamedImage } from "../../store/oci/image.ts";
import type { Store } from "../../store/store.ts";
import type { BuildResult, ProgressSink } from "../graph/events.ts";
import { VertexEvents } from "../graph/vertex-events.ts";
import type { BuildPlan } from "../convert/convert.ts";
import type { BuildOptions, OutputSpec } from "../options/options.ts";
import type { Solver } from "../solve/solver.ts";
import type { SolvedStep } from "../solve/step.ts";
import { writeArchive, writeArchiveFile, writeLayout } from "../../store/image/archive-write.ts";
import { toArchived } from "../../store/image/transfer.ts";
import { normalizeTag } from "../../store/oci/reference.ts";
import { pushFrom } from "./push.ts";
import { exportLocal, exportTar, type LocalTarget } from "./files.ts";
import { assembleImage, storeDocuments, storeImage } from "./image.ts";
import { TsbuildError } from "../../native/errors.ts";
import { writingInto } from "../../native/whole-file.ts";

/** What an export works with. */
export interface ExportInput {
  readonly store: Store;
  readonly solver: Solver;
  readonly plan: BuildPlan;
  readonly result: SolvedStep;
  readonly base: NamedImage | undefined;
  readonly options: BuildOptions;
  readonly names: readonly string[];
  readonly emit: ProgressSink;
  readonly signal: AbortSignal;
  readonly epoch: number | undefined;
}

/**
 * The outputs with their names in full. What has no name or a wrong one is told before anything is built.
 * @throws E_PUSH_NAME, E_REF_INVALID
 */
export function checkedOutputs({ outputs = [] }: BuildOptions, names: readonly string[]): readonly OutputSpec[] {
  return outputs.map((output) => {
    if (output.type === "image" && output.push === true && (output.names ?? names).length === 0) throw noPushName();
    if (!("names" in output) || output.names === undefined) return output;
    return { ...output, names: output.names.map(normalizeTag) };
  });
}

function noPushName(): TsbuildError {
  return new TsbuildError("Cannot push: the image has no name", {
    code: "E_PUSH_NAME",
    hint: "name it: -t registry/name:tag",
  });
}

/** Brings the result to every output; without any, it becomes an image of the store. */
export async function exportResult(
  input: ExportInput,
): Promise<Omit<BuildResult, "buildRef" | "warnings" | "network">> {
  const { options, solver, names } = input;
  const outputs: readonly OutputSpec[] =
    options.outputs === undefined || options.outputs.length === 0 ? [{ type: "image" }] : options.outputs;
  if (outputs.every(({ type }) => type === "cacheonly")) {
    return { names: [], layers: 0, size: 0, steps: solver.counts };
  }
  const { image, size } = await assembleImage({ ...input, squash: options.squash });
  for (const output of outputs) await exportStep(input, image, output);
  const stored = outputs.flatMap((output) => (output.type === "image" ? (output.names ?? names) : []));
  return {
    imageID: imageID(image),
    manifestDigest: image.manifest.descriptor.digest,
    descriptor: { ...image.manifest.descriptor, platform: platformOf(image) },
    names: [...new Set(stored)],
    layers: image.manifest.value.layers.length,
    size,
    steps: solver.counts,
  };
}

async function exportStep(input: ExportInput, image: Image, output: OutputSpec): Promise<void> {
  const events = new VertexEvents(input.emit, {
    digest: digestOf(`export ${JSON.stringify(output)}`),
    name: `exporting to ${output.type === "image" ? "image" : output.type}`,
    inputs: [input.plan.target.digest],
  });
  await events.around(async () => await exportTo(input, image, output));
}

async function exportTo(input: ExportInput, image: Image, output: OutputSpec): Promise<void> {
  const { signal, result, options, epoch } = input;
  switch (output.type) {
    case "image":
      return await exportImage(input, image, output);
    case "cacheonly":
      return;
    case "local":
      return await exportLocal(result.snapshot, localTarget(output, image), { epoch, signal });
    case "tar":
      return await exportTar(result.snapshot, target(output.dest, options), { epoch, signal });
    case "oci":
    case "docker":
      return await exportArchive(input, image, output);
    default:
      return output satisfies never;
  }
}

function localTarget(output: Extract<OutputSpec, { readonly type: "local" }>, image: Image): LocalTarget {
  const { dest, mode, platformSplit } = output;
  const { os, architecture, variant } = platformOf(image);
  const platform = [os, architecture, ...(variant === undefined ? [] : [variant])].join("_");
  return { dest, mirror: mode === "delete", below: platformSplit === true ? platform : undefined };
}

/** Into the store and, if asked, from there to the registries of its names. */
async function exportImage(
  input: ExportInput,
  image: Image,
  output: Extract<OutputSpec, { readonly type: "image" }>,
): Promise<void> {
  const { store, signal, options, emit } = input;
  const names = output.names ?? input.names;
  await storeImage(store, image, names);
  if (output.push !== true) return;
  const registry = options.registry === undefined ? {} : { registry: options.registry };
  for (const name of names) await pushFrom(store, { image: name, signal, onEvent: emit, ...registry });
}

/** An archive or a layout directory of the image, which itself need not stay in the store under a name. */
async function exportArchive(
  input: ExportInput,
  image: Image,
  output: Extract<OutputSpec, { readonly type: "oci" | "docker" }>,
): Promise<void> {
  const { store, names, signal, options } = input;
  await storeDocuments(store, image);
  const archived = await toArchived(store, image, { format: output.type, names: output.names ?? names, signal });
  const { dest } = output;
  if (!output.tar) return await writingInto(dest, async () => await writeLayout(store, [archived], dest));
  const to = target(output.dest, options);
  if ("file" in to) await writeArchiveFile(store, [archived], { format: output.type, file: to.file, signal });
  else await writeArchive(store, [archived], { format: output.type, stream: to.stream, signal });
}

function target(
  dest: string,
  options: BuildOptions,
): { readonly file: string } | { readonly stream: NodeJS.WritableStream } {
  if (dest !== "-") return { file: dest };
  if (options.stdout !== undefined) return { stream: options.stdout };
  throw new TsbuildError("Cannot export to standard output: none was given", {
    code: "E_OUTPUT",
    hint: "give the library a `stdout`, or a file as `dest`",
  });
}
