import { isatty } from "node:tty";
import { prune, type PrunedImage, type PruneResult } from "../../../index.ts";
import type { Invocation } from "../../flags/command.ts";
import { storeRoot } from "../../flags/engine-options.ts";
import { familiarName } from "../../format/names.ts";
import { dockerSize } from "../../format/size.ts";
import { prunePlan, pruneWarning } from "./plan.ts";

/** `tsbuild prune`, and docker's of images, of the cache, and of all. What somebody uses stays. */
export async function execute({ command, flags, config, out, signal }: Invocation): Promise<number> {
  const plan = prunePlan(command.name, flags, Date.now());
  if (!flags.bool("force") && isatty(0)) {
    const { Prompt } = await import("../../terminal/prompt.ts");
    using prompt = new Prompt(out);
    if (!(await prompt.confirm(pruneWarning(command.name, plan, flags.list("filter"))))) return 0;
  }
  const { until, ...wanted } = plan;
  const root = storeRoot(flags, config);
  const removed = await prune({ root, signal, ...wanted, ...(until === undefined ? {} : { until }) });
  if (command.name === "prune") out.result(countLine(removed));
  else out.result(imageLines(removed.images));
  out.result(`Total reclaimed space: ${dockerSize(removed.bytes)}\n`);
  return 0;
}

/** As docker lists them: names, and with its last one the image. */
function imageLines(images: readonly PrunedImage[]): string {
  if (images.length === 0) return "";
  const lines = images.flatMap(({ id, names, deleted }) => [
    ...names.map((name) => `untagged: ${familiarName(name)}`),
    ...(deleted ? [`deleted: ${id}`] : []),
  ]);
  return `Deleted Images:\n${lines.join("\n")}\n\n`;
}

function countLine({ layers, blobs, steps, bytes }: PruneResult): string {
  return `Removed ${layers} layers, ${blobs} blobs and ${steps} steps: ${dockerSize(bytes)}\n`;
}
