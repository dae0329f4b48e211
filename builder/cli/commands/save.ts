import type { Invocation } from "../command.ts";
import { UsageError } from "../usage-error.ts";

/** `tsbuild save` */
export async function execute({ command }: Invocation): Promise<number> {
  throw new UsageError(`Command ${command.name} is not implemented yet`, {
    code: "E_COMMAND_NOT_IMPLEMENTED",
    hint: "tsbuild --help lists the commands",
  });
}
