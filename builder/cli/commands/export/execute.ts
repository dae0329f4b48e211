import { isatty } from "node:tty";
import type { Invocation } from "../../flags/command.ts";
import { onePlatform } from "../build-request.ts";
import { resultStream } from "../../terminal/output.ts";
import { transfer } from "../transfer.ts";
import { UsageError } from "../../base/usage-error.ts";

/** `tsbuild export`: the files of an image as a tar, to a file, which appears whole, or to standard output. */
export async function execute(invocation: Invocation): Promise<number> {
  const { flags, operands, config } = invocation;
  const file = flags.string("output");
  const toStdout = file === undefined || file === "-";
  if (toStdout && isatty(1)) {
    throw new UsageError("Cannot write a tar archive to the terminal", { hint: "tsbuild export -o app.tar app" });
  }
  const platform = onePlatform(flags.string("platform") ?? config.platform);
  const options = {
    image: operands[0] ?? "",
    to: toStdout ? { stream: resultStream() } : { file },
    ...(platform === undefined ? {} : { platform }),
  };
  const { exportImage } = await import("../../../index.ts");
  await transfer(invocation, "Exporting", async (engine) => await exportImage({ ...engine, ...options }));
  return 0;
}
