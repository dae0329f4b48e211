import type { Invocation } from "../../flags/command.ts";
import { hostOfKey, serverKey } from "../../base/server-name.ts";
import { loginFile } from "../login/execute.ts";

/** `tsbuild logout`: forgets credentials, in the file or by the helper where a login put them. */
export async function execute(invocation: Invocation): Promise<number> {
  const { flags, operands, config, out, warn } = invocation;
  const file = loginFile(invocation);
  const { findCredentials, forgetCredentials, keptRegistries } = await import("../../../../registry/index.ts");
  const keys = flags.bool("all") ? keptRegistries(file) : [serverKey(operands[0])];
  for (const key of keys) {
    const found = await forgetCredentials(key, { file, env: config.env });
    if (found) out.result(`Removing login credentials for ${key}\n`);
    else out.notice(`Not logged in to ${key} (${file} has nothing of it)\n`);
    const path = key.split("/").slice(1).join("/");
    const { from } = await findCredentials(hostOfKey(key), path, { credentials: config.credentials, env: config.env });
    if (from !== undefined && from !== file && !flags.has("authfile")) {
      warn({
        code: "W_STILL_LOGGED_IN",
        message: `${from} has credentials of ${key} too`,
        hint: `tsbuild logout --authfile ${from} ${key}`,
      });
    }
  }
  return 0;
}
