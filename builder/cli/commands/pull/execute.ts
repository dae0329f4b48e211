import { onePlatform } from "../build-request.ts";
import type { Invocation } from "../../flags/command.ts";
import { transfer } from "../transfer.ts";
import { UsageError } from "../../base/usage-error.ts";

/** `tsbuild pull`: the name of what was pulled on standard output. */
export async function execute(invocation: Invocation): Promise<number> {
  const { flags, operands, config, out } = invocation;
  const allPlatforms = flags.bool("all-platforms");
  if (allPlatforms && flags.has("platform"))
    throw new UsageError("Cannot use --all-platforms together with --platform", { hint: "leave one of them out" });
  const platform = allPlatforms ? undefined : onePlatform(flags.string("platform") ?? config.platform);
  const { pull } = await import("../../../engine/transfer.ts");
  const options = { image: operands[0] ?? "", allPlatforms, ...(platform === undefined ? {} : { platform }) };
  const { name } = await transfer(invocation, "Pulling", async (engine) => await pull({ ...engine, ...options }));
  out.result(`${name}\n`);
  return 0;
}
