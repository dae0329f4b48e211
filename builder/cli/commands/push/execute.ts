import { onePlatform } from "../build-request.ts";
import type { Invocation } from "../../flags/command.ts";
import { transfer } from "../transfer.ts";

/** `tsbuild push`: the name with its digest on standard output, with -q the digest alone. */
export async function execute(invocation: Invocation): Promise<number> {
  const { flags, operands, out } = invocation;
  const platform = onePlatform(flags.string("platform"));
  const { push } = await import("../../../engine/transfer.ts");
  const options = { image: operands[0] ?? "", ...(platform === undefined ? {} : { platform }) };
  const pushed = await transfer(invocation, "Pushing", async (engine) => await push({ ...engine, ...options }));
  out.result(flags.bool("quiet") ? `${pushed.digest}\n` : `${pushed.name}@${pushed.digest}\n`);
  return 0;
}
