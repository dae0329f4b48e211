import type { ProgressSink } from "../../graph/events.ts";
import type { EngineOptions } from "../../options/options.ts";
import type { Invocation } from "../flags/command.ts";
import { engineOptions } from "../flags/engine-options.ts";
import { openProgress, progressMode } from "../progress/view.ts";

/** Runs a pull or a push with its progress on standard error. */
export async function transfer<T>(
  invocation: Invocation,
  title: string,
  act: (engine: EngineOptions & { readonly onEvent: ProgressSink }) => Promise<T>,
): Promise<T> {
  const { flags, config, out } = invocation;
  const mode = progressMode(flags.string("progress"), flags.bool("quiet"), config);
  const view = await openProgress(mode, config, out, title);
  let failed = true;
  try {
    const result = await act({ ...engineOptions(invocation), onEvent: view.sink });
    failed = false;
    return result;
  } finally {
    view.end(failed);
  }
}
