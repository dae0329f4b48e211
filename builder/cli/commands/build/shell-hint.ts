import { DockerfileError } from "../../../base/error.ts";
import type { BuildOptions } from "../../../options/options.ts";
import type { ParsedFlags } from "../../flags/parsed-flags.ts";

/** Flags that decide what a step is: the shell needs them too. Secrets are not repeated. */
const repeated = ["file", "target", "platform", "network"] as const;

/** The error of a RUN that failed, with the command that opens a shell where it did; any other as it is. */
export function withShellHint(error: unknown, request: BuildOptions, flags: ParsedFlags): unknown {
  const { context } = request;
  const local = context !== "-" && request.dockerfile !== "-" && !/^[\w+.-]+:\/\/|^[\w-]+@/.test(context);
  if (!(error instanceof DockerfileError) || error.code !== "E_RUN_FAILED" || !local) return error;
  if (flags.bool("shell-on-fail") || error.cause !== undefined) return error;
  const words = repeated.flatMap((name) => {
    const value = flags.string(name);
    return value === undefined ? [] : [`--${name}`, quoted(value)];
  });
  // Values are the user's to type again: some are secrets after all.
  const args = flags.list("build-arg").flatMap((word) => ["--build-arg", quoted(word.replace(/=.*$/s, "=..."))]);
  const command = ["tsbuild shell --at failed", ...words, ...args, quoted(context)].join(" ");
  const { code, notes, location, source, step, label, hint } = error;
  return new DockerfileError(error.message, {
    code,
    cause: error,
    notes,
    location,
    source,
    ...(step === undefined ? {} : { step }),
    ...(label === undefined ? {} : { label }),
    hint: [
      ...(hint === undefined ? [] : [hint]),
      `a shell before that step:  ${command}   (after it: --shell-on-fail)`,
    ].join("\n"),
  });
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
