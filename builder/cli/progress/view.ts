import type { ProgressView } from "./progress-view.ts";
import type { ProgressSink } from "../../graph/events.ts";
import { settingVariables, type Config } from "../config/config.ts";
import type { Output } from "../terminal/output.ts";
import { makeStyle } from "../terminal/style.ts";
import { UsageError } from "../base/usage-error.ts";

export type ProgressMode = "tty" | "plain" | "rawjson" | "quiet";

/** `--progress`, else the environment's or the files', else tty on a terminal that somebody watches. */
export function progressMode(flag: string | undefined, quiet: boolean, config: Config): ProgressMode {
  if (quiet) return "quiet";
  const asked = flag ?? config.progress ?? "auto";
  switch (asked) {
    case "tty":
    case "plain":
    case "rawjson":
      return asked;
    case "quiet":
    case "none":
      return "quiet";
    case "auto":
      return config.stderrIsTerminal && !config.unattended ? "tty" : "plain";
    default:
      // A flag and files were checked when they were read.
      throw new UsageError(`Variable ${variableOf(config)} cannot be ${JSON.stringify(asked)}`, {
        code: "E_CONFIG",
        hint: "auto, tty, plain, rawjson or quiet",
      });
  }
}

function variableOf({ env }: Config): string {
  return settingVariables.progress.find((name) => (env[name] ?? "") !== "") ?? "progress";
}

/** Loads only the renderer of that mode. */
export async function openProgress(
  mode: ProgressMode,
  config: Config,
  out: Output,
  title = "Building",
): Promise<ProgressView> {
  switch (mode) {
    case "plain": {
      const { PlainProgress } = await import("./plain.ts");
      const { foldings } = await import("../ci/folding.ts");
      const plain = new PlainProgress({ folding: config.ci === undefined ? undefined : foldings[config.ci] });
      const end = (failed: boolean): void => out.control(plain.end(failed, Date.now()));
      return { ...writing(plain, out), end, trace: plain.trace, verbose: true };
    }
    case "rawjson": {
      const { JsonProgress } = await import("./json.ts");
      return { ...writing(new JsonProgress(), out), end: () => undefined, trace: undefined, verbose: false };
    }
    case "tty": {
      const { openTerminal } = await import("./terminal.ts");
      const { TtyProgress } = await import("./tty.ts");
      const style = makeStyle(config.color, config.colors);
      return openTerminal(new TtyProgress({ style, logLines: config.logLines, title }), out);
    }
    case "quiet": {
      const { QuietProgress } = await import("./quiet.ts");
      const quiet = new QuietProgress();
      return {
        ...writing(quiet, out),
        trace: quiet.trace,
        end: (failed) => (failed ? out.notice(quiet.failure()) : undefined),
        verbose: false,
      };
    }
  }
}

interface TextProgress {
  event(event: Parameters<ProgressSink>[0]): string;
}

function writing(renderer: TextProgress, out: Output): Pick<ProgressView, "sink"> {
  return {
    sink: (event) => {
      const text = renderer.event(event);
      if (text !== "") out.control(text);
    },
  };
}
