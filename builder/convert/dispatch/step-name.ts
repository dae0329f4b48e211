import type { Instruction } from "../../dockerfile/ast.ts";
import { expandWord, type ExpandOptions } from "../../dockerfile/expand.ts";
import { redactUrls } from "../../base/redact-url.ts";
import { trimSpace } from "../../dockerfile/words.ts";
import { envMap } from "../../base/env.ts";
import type { RunMount } from "../../graph/opspec.ts";
import { numbered } from "../stage-state.ts";
import type { DispatchInput } from "./context.ts";

/** Nobody reads more; a variable may hold megabytes. */
const longest = 16 << 10;
/** A RUN is a shell's text: what that reads itself stays. */
const shellText: ExpandOptions["keep"] = { quotes: true, escapes: true, unset: true };

/** As BuildKit names a step: the instruction as written, with the variables that it sees. */
export function stepName(input: DispatchInput<Instruction>): string {
  return nameOf(input, trimSpace(input.instruction.original), envMap(input.state.env));
}

/** The same of a RUN. `summary`: what is told of its script. A variable that is a secret is shown as `****`. */
export function runName(
  input: DispatchInput<Instruction>,
  { summary, mounts }: { readonly summary: string; readonly mounts: readonly RunMount[] },
): string {
  const secrets = mounts.flatMap((mount) => (mount.kind === "secret" && mount.env !== undefined ? [mount.env] : []));
  const known = envMap(input.state.env);
  const env = secrets.length === 0 ? known : new Map([...known, ...secrets.map((name) => [name, "****"] as const)]);
  return nameOf(input, trimSpace(input.instruction.original) + summary, env, shellText);
}

function nameOf(
  { state, context, onbuild }: DispatchInput<Instruction>,
  written: string,
  env: ReadonlyMap<string, string>,
  keep: ExpandOptions["keep"] = {},
): string {
  const text = expanded(written, env, { escape: context.escape, keep });
  const [keyword = "", ...rest] = text.split(" ");
  return numbered(state, redactUrls([keyword.toUpperCase(), ...rest].join(" ")), onbuild);
}

/** What cannot be expanded is shown as written: a quote may be open in the shell's text. */
function expanded(written: string, env: ReadonlyMap<string, string>, options: ExpandOptions): string {
  if (options.keep?.quotes === true && !written.includes("$")) return written;
  try {
    const { text } = expandWord(written, env, options);
    return text.length > longest ? written : text;
  } catch {
    return written;
  }
}
