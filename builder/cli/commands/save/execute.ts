import { isatty } from "node:tty";
import type { Invocation } from "../../flags/command.ts";
import { givenPlatform } from "../build-request.ts";
import { openInvocationStore } from "../open-store.ts";
import { resultStream } from "../../terminal/output.ts";
import { UsageError } from "../../base/usage-error.ts";

/** `tsbuild save`: an archive to a file, which appears whole or not at all, or to standard output. */
export async function execute(invocation: Invocation): Promise<number> {
  const { flags, operands, signal } = invocation;
  const file = flags.string("output");
  const toStdout = file === undefined || file === "-";
  if (toStdout && isatty(1)) {
    throw new UsageError("Cannot write a tar archive to the terminal", { hint: "tsbuild save -o app.tar app" });
  }
  const { saveImages } = await import("../../../../store/image/transfer.ts");
  await using store = await openInvocationStore(invocation);
  const to = toStdout ? { stream: resultStream() } : { file };
  const format = flags.string("format") === "oci" ? "oci" : "docker";
  await saveImages(store, operands, { format, to, platform: givenPlatform(flags), signal });
  return 0;
}
