import { constants } from "node:os";
import type { Container } from "../../../runtime/index.ts";
import { attachTerminal } from "./attach.ts";
import type { Interrupts } from "../terminal/interrupts.ts";

const SIGKILL = 9;
/** How often one asks before it is an order, as docker's client: a PID 1 without a handler is not ended by a signal. */
const patience = 3;

/** Stays with a container until it ends: signals and, if it has one, the user's terminal are the container's. */
export async function attend(
  container: Container,
  options: { readonly exitCode: Promise<number>; readonly interrupts: Interrupts; readonly interactive: boolean },
): Promise<number> {
  const { exitCode, interrupts, interactive } = options;
  let asked = 0;
  using _ = interrupts.divert((signal) => {
    if (signal === "SIGINT" || signal === "SIGTERM") asked++;
    container.kill(asked >= patience ? SIGKILL : constants.signals[signal]);
  });
  if (container.terminal === undefined) return await exitCode;
  await using terminal = attachTerminal(container, interactive);
  const code = await exitCode;
  await terminal.drained;
  return code;
}
