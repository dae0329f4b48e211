import type { Invocation } from "../../flags/command.ts";
import { scripts, type Shell } from "../../completion/scripts.ts";
import { closest } from "../../base/suggest.ts";
import { UsageError } from "../../base/usage-error.ts";

/** `tsbuild completion bash`: the script that the shell has to load. */
export async function execute({ operands, out }: Invocation): Promise<number> {
  out.result(scripts[shellNamed(operands[0] ?? "")]);
  return 0;
}

function shellNamed(text: string): Shell {
  const known: readonly Shell[] = ["bash", "zsh", "fish"];
  const shell = known.find((one) => one === text);
  if (shell !== undefined) return shell;
  const meant = closest(text, known);
  throw new UsageError(`Cannot complete for ${JSON.stringify(text)}: bash, zsh and fish are known`, {
    hint: `source <(tsbuild completion ${meant ?? "bash"})`,
  });
}
