import { TsbuildError } from "../../native/errors.ts";
import type { ImageConfig } from "../../store/oci/config.ts";

/** PATH_MAX without its end. */
const maxPath = 4095;
const maxUser = 256;
/** Of one argument or variable, its end included. @see execve(2) MAX_ARG_STRLEN */
const maxText = 128 << 10;

/**
 * Looks at what the kernel is given of an image when something runs there: who made the image may have put anything in.
 * `name` is the image's. @throws E_CONFIG_INVALID
 */
export function checkRunnable(name: string, { config = {} }: ImageConfig): void {
  const refuse = (field: string, why: string): TsbuildError =>
    new TsbuildError(`Cannot use ${name}: config.${field} ${why}`, { code: "E_CONFIG_INVALID" });
  const { WorkingDir = "", User = "" } = config;
  if (WorkingDir.includes("\0")) throw refuse("WorkingDir", "has a NUL character");
  if (Buffer.byteLength(WorkingDir) > maxPath) throw refuse("WorkingDir", `has more than ${maxPath} bytes`);
  // oxlint-disable-next-line no-control-regex
  if (/[\0-\x1f\x7f]/.test(User)) throw refuse("User", "has a control character");
  if (User.length > maxUser) throw refuse("User", `has more than ${maxUser} characters`);
  for (const field of ["Env", "Entrypoint", "Cmd", "Shell"] as const) {
    for (const [at, text] of (config[field] ?? []).entries()) {
      if (text.includes("\0")) throw refuse(`${field}[${at}]`, "has a NUL character");
      // 3 bytes a character at most: only what may be too long is counted.
      if (text.length * 3 < maxText || Buffer.byteLength(text) < maxText) continue;
      throw refuse(`${field}[${at}]`, `has more than the ${maxText - 1} bytes that a program can be given at once`);
    }
  }
}
