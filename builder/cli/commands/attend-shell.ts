import { isatty } from "node:tty";
import { exitCode } from "../../../runtime/index.ts";
import type { OfferedShell } from "../../ops/shell/debug.ts";
import { attend } from "./attend.ts";
import { tellHostNetwork } from "./host-network.ts";
import type { Invocation } from "../flags/command.ts";
import { printable } from "../base/text.ts";
import { terminalSize } from "../terminal/terminal-size.ts";

/** Opens the shell on the user's terminal, or with commands from standard input; resolves with its exit code. */
export async function attendShell(offered: OfferedShell, { interrupts, out, signal }: Invocation): Promise<number> {
  const { where, failure } = offered;
  const tty = isatty(0) && isatty(1);
  const what = failure === undefined ? where : `${where}: ${failure.message}`;
  const leave = failure === undefined ? "nothing that it writes is kept" : "the build ends with it";
  out.notice(`shell ${printable(what)} (${leave})\n`);
  await using container = await offered.start({
    terminal: tty ? terminalSize(process.stdout) : undefined,
    stdio: { stdin: 0, stdout: 1, stderr: 2 },
    signal,
  });
  tellHostNetwork(container, out);
  return await attend(container, { exitCode: container.exited.then(exitCode), interrupts, interactive: true });
}
