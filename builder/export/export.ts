import { digestOf } from "../../store/oci/digest.ts";
import type { Store } from "../../store/store.ts";
import type { BuildResult, ProgressSink } from "../events.ts";
import type { BuildPlan } from "../graph/convert.ts";
import type { BuildOptions, OutputSpec } from "../options.ts";
import type { Solver } from "../solve/solver.ts";
import type { SolvedStep } from "../solve/step.ts";
import type { FoundImage } from "../source/images.ts";
import { assembleImage, storeImage, type BuiltImage } from "./image.ts";
import { TsbuildError } from "../../native/errors.ts";

/** What an export works with. */
export interface ExportInput {
  readonly store: Store;
  readonly solver: Solver;
  readonly plan: BuildPlan;
  readonly result: SolvedStep;
  readonly base: FoundImage | undefined;
  readonly options: BuildOptions;
  readonly names: readonly string[];
  readonly emit: ProgressSink;
  readonly signal: AbortSignal;
  readonly epoch: number | undefined;
}

/** Brings the result to every output; without any, it becomes an image of the store. */
export async function exportResult(input: ExportInput): Promise<BuildResult> {
  const { options, solver, names } = input;
  const outputs: readonly OutputSpec[] =
    options.outputs === undefined || options.outputs.length === 0 ? [{ type: "image" }] : options.outputs;
  if (outputs.every(({ type }) => type === "cacheonly")) {
    return { names: [], layers: 0, size: 0, steps: solver.counts };
  }
  const image = await assembleImage(input);
  for (const output of outputs) await exportStep(input, image, output);
  const stored = outputs.some(({ type }) => type === "image");
  return {
    imageID: image.configDescriptor.digest,
    manifestDigest: image.manifestDescriptor.digest,
    names: stored ? names : [],
    layers: image.manifest.layers.length,
    size: image.size,
    steps: solver.counts,
  };
}

async function exportStep(input: ExportInput, image: BuiltImage, output: OutputSpec): Promise<void> {
  const { emit, store, names } = input;
  const digest = digestOf(`export ${JSON.stringify(output)}`);
  const time = (): number => performance.timeOrigin + performance.now();
  emit({
    kind: "vertex",
    vertex: {
      digest,
      name: `exporting to ${output.type === "image" ? "image" : output.type}`,
      inputs: [input.plan.target.digest],
    },
    time: time(),
  });
  emit({ kind: "started", digest, time: time() });
  try {
    switch (output.type) {
      case "image":
        await storeImage(store, image, output.names ?? names);
        break;
      case "cacheonly":
        break;
      default:
        throw new TsbuildError(`Cannot export: --output type=${output.type} is not supported yet`, {
          code: "E_UNSUPPORTED",
        });
    }
    emit({ kind: "completed", digest, time: time(), cached: false });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    emit({ kind: "completed", digest, time: time(), cached: false, error: message });
    throw error;
  }
}
