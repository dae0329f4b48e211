import { resolve } from "node:path";
import { isatty } from "node:tty";
import type { RootArchive } from "../../../engine/import-image.ts";
import { onePlatform } from "../build-request.ts";
import type { Invocation } from "../../flags/command.ts";
import { transfer } from "../transfer.ts";
import { UsageError } from "../../base/usage-error.ts";

/** `tsbuild import`: the ID of the image that a root file system became. */
export async function execute(invocation: Invocation): Promise<number> {
  const { flags, operands, config, out } = invocation;
  const [source = "", name] = operands;
  const platform = onePlatform(flags.string("platform") ?? config.platform);
  const options = {
    archive: archiveOf(source, config.cwd),
    changes: flags.list("change"),
    ...(name === undefined ? {} : { tags: [name] }),
    ...(platform === undefined ? {} : { platform }),
  };
  const { importImage } = await import("../../../index.ts");
  const act = async (engine: Parameters<Parameters<typeof transfer>[2]>[0]): Promise<string> =>
    (await importImage({ ...engine, ...options })).imageID ?? "";
  out.result(`${await transfer(invocation, "Importing", act)}\n`);
  return 0;
}

function archiveOf(source: string, cwd: string): RootArchive {
  if (/^https?:\/\//.test(source)) return { kind: "url", url: source };
  if (source !== "-") return { kind: "file", path: resolve(cwd, source) };
  if (isatty(0))
    throw new UsageError("Cannot read an archive from the terminal", { hint: "tsbuild import - app < rootfs.tar" });
  return { kind: "stream", stream: process.stdin };
}
