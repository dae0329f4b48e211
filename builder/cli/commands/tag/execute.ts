import type { Invocation } from "../../flags/command.ts";
import { openInvocationStore } from "../open-store.ts";

/** `tsbuild tag`: silent, as docker's. */
export async function execute(invocation: Invocation): Promise<number> {
  const [image = "", name = ""] = invocation.operands;
  const { tagImage } = await import("../../../../store/image/names.ts");
  await using store = await openInvocationStore(invocation);
  await tagImage(store, image, name);
  return 0;
}
