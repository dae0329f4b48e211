import { isatty } from "node:tty";
import { danglingPrefix } from "../../../../store/image/stored.ts";
import type { Collected, CollectOptions, ImageRef, Store } from "../../../../store/store.ts";
import type { Invocation } from "../../flags/command.ts";
import { familiarName } from "../../format/names.ts";
import { dockerSize } from "../../format/size.ts";
import { openInvocationStore } from "../open-store.ts";
import { prunePlan, pruneWarning, type PrunePlan } from "./plan.ts";

/** `tsbuild prune`, and docker's of images, of the cache, and of all. What somebody uses stays. */
export async function execute(invocation: Invocation): Promise<number> {
  const { command, flags, out, signal } = invocation;
  const plan = prunePlan(command.name, flags, Date.now());
  if (!flags.bool("force") && isatty(0)) {
    const { Prompt } = await import("../../terminal/prompt.ts");
    using prompt = new Prompt(out);
    if (!(await prompt.confirm(pruneWarning(command.name, plan, flags.list("filter"))))) return 0;
  }
  await using store = await openInvocationStore(invocation, { freeing: true });
  const { chosenImages } = await import("./images.ts");
  const chosen = await chosenImages(store, plan);
  const ids = new Map(chosen.map(({ ref, id }) => [ref.target.digest, id]));
  const images = chosen.map(({ ref }) => ref);
  const removed = await store.collect({ images, ...cacheOf(plan), partials: true, signal });
  const idOf = (ref: ImageRef): string => ids.get(ref.target.digest) ?? ref.target.digest;
  if (command.name === "prune") out.result(countLine(removed));
  else out.result(imageLines(store, removed.images, idOf));
  out.result(`Total reclaimed space: ${dockerSize(removed.bytes)}\n`);
  return 0;
}

function cacheOf({ cache, until }: PrunePlan): CollectOptions {
  if (cache === "none") return {};
  const unusedFor = until === undefined ? 0 : Math.max(0, Date.now() - until);
  return { unusedFor, keepShared: cache === "dangling" };
}

/** As docker lists them: names, and with its last one the image. */
function imageLines(store: Store, removed: readonly ImageRef[], idOf: (ref: ImageRef) => string): string {
  if (removed.length === 0) return "";
  const left = new Set(store.refs.list().map(({ target }) => target.digest));
  const lines = [...Map.groupBy(removed, ({ target }) => target.digest).values()].flatMap((refs) => {
    const names = refs.flatMap(({ name }) =>
      name.startsWith(danglingPrefix) ? [] : [`untagged: ${familiarName(name)}`],
    );
    const [first] = refs;
    return first === undefined || left.has(first.target.digest) ? names : [...names, `deleted: ${idOf(first)}`];
  });
  return `Deleted Images:\n${lines.join("\n")}\n\n`;
}

function countLine({ snapshots, blobs, steps, bytes }: Collected): string {
  return `Removed ${snapshots} layers, ${blobs} blobs and ${steps} steps: ${dockerSize(bytes)}\n`;
}
