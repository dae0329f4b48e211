import type { Output } from "../terminal/output.ts";
import { terminalSize } from "../terminal/terminal-size.ts";
import { Screen } from "./screen.ts";
import { failedLogs } from "./failed-logs.ts";
import type { TtyProgress } from "./tty.ts";
import type { ProgressView } from "./progress-view.ts";

const interval = 100;

/** Draws frames on standard error ten times a second while something happens; the cursor comes back at the end. */
export function openTerminal(picture: TtyProgress, out: Output): ProgressView {
  const screen = new Screen();
  const restore = (): void => out.control(screen.leave());
  const paint = (finished?: "ok" | "failed"): void => {
    const { columns: width, rows } = terminalSize(process.stderr);
    const height = finished === undefined ? rows : Infinity;
    const options = { now: Date.now(), width, height, ...(finished === undefined ? {} : { finished }) };
    out.control(screen.paint(picture.frame(options), width));
  };
  const tick = setInterval(paint, interval);
  const resized = (): void => paint();
  process.stderr.on("resize", resized);
  process.once("exit", restore); // also when a second Ctrl-C forces the end
  return {
    sink: (event) => picture.event(event),
    trace: picture.trace,
    verbose: true,
    end: (failed) => {
      clearInterval(tick);
      process.stderr.off("resize", resized);
      process.off("exit", restore);
      paint(failed ? "failed" : "ok");
      restore();
      if (failed) out.notice(failedLogs(picture.trace, 10));
    },
  };
}
