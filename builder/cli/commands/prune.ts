import type { Invocation } from "../command.ts";
import { parseDuration } from "../../dockerfile/duration.ts";
import { dockerSize } from "../format/size.ts";
import { openInvocationStore } from "../open-store.ts";
import { UsageError } from "../usage-error.ts";

/** `tsbuild prune`: removes what no image and no remembered step needs. */
export async function execute(invocation: Invocation): Promise<number> {
  const { flags, out } = invocation;
  const unusedFor = flags.bool("all") ? 0 : hoursToKeep(untilOf(flags));
  await using store = await openInvocationStore(invocation, { freeing: true });
  const removed = await store.collect({ dangling: true, ...(unusedFor === undefined ? {} : { unusedFor }) });
  out.result(
    `Removed ${removed.snapshots} layers, ${removed.blobs} blobs and ${removed.steps} steps: ${dockerSize(removed.bytes)}\n`,
  );
  return 0;
}

/** `--until 24h`, or docker's `--filter until=24h`. @throws E_USAGE */
function untilOf(flags: Invocation["flags"]): string | undefined {
  const words = flags.list("filter");
  const odd = words.find((word) => !word.startsWith("until="));
  if (odd !== undefined)
    throw new UsageError(`Cannot filter by ${JSON.stringify(odd)}`, { hint: "--filter until=24h" });
  return words.at(-1)?.slice("until=".length) ?? flags.string("until");
}

/** Milliseconds of `24h`. */
function hoursToKeep(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const nanoseconds = parseDuration(text);
  if (nanoseconds === undefined || nanoseconds < 0)
    throw new UsageError(`--until ${text} is no duration`, { hint: "for example --until 24h" });
  return nanoseconds / 1e6;
}
