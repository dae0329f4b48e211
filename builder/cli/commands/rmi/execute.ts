import { TsbuildError } from "../../../../native/errors.ts";
import type { Invocation } from "../../flags/command.ts";
import { exitCodeOf } from "../../errors/exit-code.ts";
import { renderError } from "../../errors/render.ts";
import { familiarName } from "../../format/names.ts";
import { openInvocationStore } from "../open-store.ts";

/** `tsbuild rmi`: goes on after a failure, which then makes the exit code 1. */
export async function execute(invocation: Invocation): Promise<number> {
  const { flags, operands, out, config, signal } = invocation;
  const { removeImage } = await import("../../../../store/image/names.ts");
  await using store = await openInvocationStore(invocation, { freeing: true });
  const force = flags.bool("force");
  let code = 0;
  for (const image of operands) {
    try {
      for (const removal of await removeImage(store, image, { force })) {
        out.result(
          removal.kind === "untagged" ? `Untagged: ${familiarName(removal.name)}\n` : `Deleted: ${removal.digest}\n`,
        );
      }
    } catch (error) {
      if (!(error instanceof TsbuildError)) throw error;
      if (force && error.code === "E_IMAGE_NOT_FOUND") continue;
      out.notice(renderError(error, { color: config.color, debug: config.debug || flags.bool("debug") }));
      code = exitCodeOf(error, "rmi");
    }
  }
  if (!flags.bool("no-prune")) await store.collect({ signal });
  return code;
}
