import type { ContainerConfig, ImageConfig } from "../../store/oci/config.ts";
import type { Platform } from "../../store/oci/platform.ts";
import type { Stage } from "../dockerfile/ast.ts";
import type { HistoryLines } from "./history-lines.ts";
import type { Vertex } from "../graph/vertex.ts";
import { defaultPath, getEnv, setEnv, setEnvs, type EnvList } from "../base/env.ts";

/** An ARG that a stage declared. `value` undefined: declared without any value. */
export interface DeclaredArg {
  readonly key: string;
  readonly value: string | undefined;
}

/** The image config fields that instructions write, arrays and maps replaced as wholes. */
export type MutableConfig = { -readonly [K in keyof ContainerConfig]: ContainerConfig[K] };

/**
 * What a stage is after the instructions dispatched so far. The one mutable value of the conversion: each dispatch
 * function of graph/dispatch/ reads and writes it, in the order of the Dockerfile.
 */
export interface StageState {
  readonly stage: Stage;
  readonly name: string;
  /** Name in progress: "" when the file has one stage only. */
  readonly label: string;
  readonly platform: Platform;
  readonly ignoreCache: boolean;
  vertex: Vertex;
  config: MutableConfig;
  /** The base image's config: fields such as author and history carry over. */
  author: string | undefined;
  history: HistoryLines;
  /** ENV and ARG values as words and RUN see them. */
  env: EnvList;
  args: readonly DeclaredArg[];
  /** Progress numbering: `[name index/total]`. */
  stepIndex: number;
  stepTotal: number;
  cmdSet: boolean;
  /** A WORKDIR stands in this stage or in one that it is built on. */
  workdirSet: boolean;
  /** The image this stack stands on; undefined over scratch. */
  readonly base: ImageConfig | undefined;
  /** Those maps of its config that the stage made itself: others belong to what it stands on too. */
  readonly ownMaps: WeakSet<object>;
}

/** Adds entries to a map of the config. */
export function addEntries<T>(
  state: StageState,
  field: "Labels" | "ExposedPorts" | "Volumes",
  entries: Iterable<readonly [string, T]>,
): void {
  const before = state.config[field];
  const map = before !== undefined && state.ownMaps.has(before) ? before : { ...before };
  state.ownMaps.add(map);
  // As an assignment would do it, but for a key such as __proto__.
  const how = { configurable: true, enumerable: true, writable: true };
  for (const [key, value] of entries) Object.defineProperty(map, key, { ...how, value });
  Object.assign(state.config, { [field]: map });
}

/** Adds the values of an ENV to config and env. */
export function addConfigEnv(
  state: StageState,
  pairs: readonly { readonly key: string; readonly value: string }[],
): void {
  state.config.Env = setEnvs(state.config.Env ?? [], pairs);
  state.env = setEnvs(state.env, pairs);
}

/** An ARG is seen by the instructions after it, an ENV after it wins; the image has it never. */
export function addArgEnv(state: StageState, key: string, value: string): void {
  state.env = setEnv(state.env, key, value);
}

/** PATH is always set. */
export function ensurePath(state: StageState): void {
  if (getEnv(state.config.Env ?? [], "PATH") === undefined) addConfigEnv(state, [{ key: "PATH", value: defaultPath }]);
}

/** Counts the stage's next step. Its slot. */
export function nextStep(state: StageState): string {
  if (state.stepTotal > 0) state.stepIndex++;
  return `${state.name}/${state.stepIndex}`;
}

/** `[build 2/5] RUN npm ci`: with the number of the step that was counted last. */
export function numbered(state: StageState, text: string, onbuild: boolean): string {
  if (state.stepTotal === 0) return text;
  const at = { label: state.label, index: state.stepIndex, total: state.stepTotal };
  return `${stepNumber(at)} ${onbuild ? "ONBUILD " : ""}${text}`;
}

/** `[build 2/5]`; numbers of one stage are equally wide. */
export function stepNumber(at: { readonly label: string; readonly index: number; readonly total: number }): string {
  const number = String(at.index).padStart(1 + Math.floor(Math.log10(at.total)), " ");
  return `[${at.label === "" ? "" : `${at.label} `}${number}/${at.total}]`;
}

/** Adds a history line. `layer` false: it made none. */
export function addHistory(state: StageState, createdBy: string, layer: boolean): void {
  state.history.add({
    created_by: createdBy,
    comment: "buildkit.dockerfile.v0",
    ...(layer ? {} : { empty_layer: true }),
  });
}
