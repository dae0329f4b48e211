import { constants } from "node:os";
import type { Container } from "../../runtime/index.ts";
import { attachTerminal } from "./attach.ts";
import type { Interrupts } from "./interrupts.ts";

/** Stays with a container until it ends: signals and, if it has one, the user's terminal are the container's. */
export async function attend(
  container: Container,
  options: { readonly exitCode: Promise<number>; readonly interrupts: Interrupts; readonly interactive: boolean },
): Promise<number> {
  const { exitCode, interrupts, interactive } = options;
  using _ = interrupts.divert((signal) => container.kill(constants.signals[signal]));
  if (container.terminal === undefined) return await exitCode;
  await using terminal = attachTerminal(container, interactive);
  const code = await exitCode;
  await terminal.drained;
  return code;
}
