import type { InspectedImage } from "../../../../store/image/inspect.ts";
import { givenPlatform } from "../build-request.ts";
import type { Invocation } from "../../flags/command.ts";
import { inspectView } from "../../format/inspect-view.ts";
import { jsonText } from "../../format/json.ts";
import { formatOne } from "../../format/output.ts";
import { queryValue } from "../../format/query.ts";
import { openInvocationStore } from "../open-store.ts";
import { UsageError } from "../../base/usage-error.ts";

/** `tsbuild inspect`: a JSON array, or a line of the template for each image. Those that are there are shown even if another is not. */
export async function execute(invocation: Invocation): Promise<number> {
  const { flags, operands, out } = invocation;
  const { inspectImage } = await import("../../../../store/image/inspect.ts");
  await using store = await openInvocationStore(invocation);
  const found: InspectedImage[] = [];
  const failures: unknown[] = [];
  if (flags.has("query") && flags.has("format")) {
    throw new UsageError("Cannot use --query together with --format", { hint: "leave one of them out" });
  }
  const platform = givenPlatform(flags);
  for (const image of operands) {
    try {
      found.push(await inspectImage(store, image, platform));
    } catch (error) {
      failures.push(error);
    }
  }
  const format = flags.string("format");
  const query = flags.string("query");
  if (query !== undefined) out.result(found.map((image) => `${jsonText(queryValue(image, query))}\n`).join(""));
  else if (format === undefined) out.result(`${jsonText(found, 4)}\n`);
  else out.result(found.map((image) => formatOne(format, format === "json" ? image : inspectView(image))).join(""));
  if (failures.length > 0) throw failures[0];
  return 0;
}
