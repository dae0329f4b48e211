import { createReadStream } from "node:fs";
import { isatty } from "node:tty";
import { TsbuildError } from "../../../../native/errors.ts";
import type { Invocation } from "../../flags/command.ts";
import { familiarName } from "../../format/names.ts";
import { openInvocationStore } from "../open-store.ts";
import { UsageError } from "../../base/usage-error.ts";

/** `tsbuild load`: the names of what was in the archive. */
export async function execute(invocation: Invocation): Promise<number> {
  const { flags, out, signal } = invocation;
  const file = flags.string("input");
  const fromStdin = file === undefined || file === "-";
  if (fromStdin && isatty(0)) {
    throw new UsageError("Cannot read an archive from the terminal", { hint: "tsbuild load -i app.tar" });
  }
  const { loadArchive } = await import("../../../../store/image/archive-read.ts");
  await using store = await openInvocationStore(invocation);
  const images = await loadArchive(store, fromStdin ? process.stdin : fileBytes(file), signal);
  const quiet = flags.bool("quiet");
  for (const { names, id } of images) {
    for (const name of names) out.result(`${quiet ? "" : "Loaded image: "}${familiarName(name)}\n`);
    if (names.length === 0) out.result(`${quiet ? "" : "Loaded image ID: "}${id}\n`);
  }
  return 0;
}

async function* fileBytes(file: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 }))
      if (chunk instanceof Uint8Array) yield chunk;
  } catch (cause) {
    if (!(cause instanceof Error) || !("code" in cause)) throw cause;
    const code = String(cause.code);
    throw new TsbuildError(`Cannot read archive ${file}: ${code}`, {
      code: "E_ARCHIVE_READ",
      cause,
      hint: code === "ENOENT" ? "check the path" : "check that it is a file that you may read",
    });
  }
}
