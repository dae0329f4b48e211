import type { Invocation } from "../../flags/command.ts";
import { replaceProcess } from "../../host/user-namespace.ts";

/** `tsbuild unshare`: entry.ts has entered the namespace; what is left is to become the program. */
export async function execute({ operands, config }: Invocation): Promise<number> {
  const words = operands.length > 0 ? operands : [config.env["SHELL"] ?? "/bin/sh"];
  return replaceProcess("/usr/bin/env", ["env", "--", ...words], config.env);
}
