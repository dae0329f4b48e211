import type { BuildEvent, ProgressSink } from "../../graph/events.ts";
import type { ProgressView } from "./progress-view.ts";

/** Progress that may not be needed at all: of a pull before a run. */
export interface BriefView extends AsyncDisposable {
  readonly sink: ProgressSink;
  /** After the last event; resolves when nothing more will be written. */
  readonly done: () => Promise<void>;
}

/** Opens the view with the first event, so that a run of an image that is there loads and prints nothing. */
export function brieflyShown(open: () => Promise<ProgressView>): BriefView {
  const early: BuildEvent[] = [];
  let opening: Promise<void> | undefined;
  let view: ProgressView | undefined;
  let over = false;
  const finish = async (failed: boolean): Promise<void> => {
    if (over) return;
    over = true;
    await opening;
    view?.end(failed);
  };
  const start = async (): Promise<void> => {
    view = await open();
    for (const event of early.splice(0)) view.sink(event);
  };
  return {
    sink: (event) => {
      opening ??= start();
      if (view === undefined) early.push(event);
      else view.sink(event);
    },
    done: async () => await finish(false),
    [Symbol.asyncDispose]: async () => await finish(true),
  };
}
