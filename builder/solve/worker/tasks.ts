import { Root } from "../../../native/path.ts";
import { LocalContentStore } from "../../../store/content/local.ts";
import { diffLayer } from "../../../store/layer/diff.ts";
import { hashLayer } from "../../../store/layer/pack.ts";
import { requireStorable } from "../../../store/layer/storable.ts";
import { unpackLayer } from "../../../store/layer/unpack.ts";
import type { TaskContext, TaskName, Tasks } from "./task.ts";

/** What each task does, on whichever thread. */
export const tasks: { readonly [N in TaskName]: TaskAction<N> } = { unpack, seal };

export type TaskAction<N extends TaskName> = (
  input: Tasks[N]["input"],
  context: TaskContext<N>,
) => Promise<Tasks[N]["output"]>;

async function unpack(
  { content, layer, directory, diffID, owner }: Tasks["unpack"]["input"],
  { signal, progress }: TaskContext<"unpack">,
): Promise<Tasks["unpack"]["output"]> {
  using root = Root.open(directory);
  const bytes = new LocalContentStore(content).fetch(layer, { signal, onProgress: progress });
  return await unpackLayer(bytes, root, { form: "overlay", expected: diffID, owner, signal });
}

/** Milliseconds between two reports of one layer. */
const progressPause = 200;

async function seal(
  { upper, lowers, epoch }: Tasks["seal"]["input"],
  { signal, progress }: TaskContext<"seal">,
): Promise<Tasks["seal"]["output"]> {
  const changes = diffLayer(upper, lowers, { signal });
  requireStorable(changes);
  progress(changes.length > 0);
  if (changes.length === 0) return undefined;
  let told = Date.now();
  const onProgress = (current: number, total: number): void => {
    if (Date.now() - told < progressPause) return;
    told = Date.now();
    progress({ current, total });
  };
  return await hashLayer(upper, changes, { signal, onProgress, ...(epoch === undefined ? {} : { epoch }) });
}
