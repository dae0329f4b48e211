import { chainID } from "../../store/oci/digest.ts";
import type { NamedImage } from "../../store/oci/image.ts";
import type { Platform } from "../../store/oci/platform.ts";
import type { SourceLocation } from "../base/location.ts";
import type { HttpOp } from "../graph/opspec.ts";
import { HistoryLines } from "./history-lines.ts";
import type { StageState } from "./stage-state.ts";
import { checkRunnable } from "./runnable.ts";
import { makeVertex, scratchVertex, type Vertex } from "../graph/vertex.ts";

/** A directory of the host: the build context for the name "". */
export function contextVertex(name: string): Vertex {
  return makeVertex({
    op: { kind: "context", name },
    inputs: [],
    name: name === "" ? "[internal] load build context" : `[context ${name}] load`,
    slot: name === "" ? "context" : `context/${name}`,
  });
}

/** A file from a URL. What is known of it from build to build goes by the URL, wherever it is used. */
export function urlVertex(spec: Omit<HttpOp, "kind">, location: SourceLocation): Vertex {
  const { url } = spec;
  return makeVertex({
    op: { kind: "http", ...spec },
    inputs: [],
    name: `[internal] load ${url}`,
    slot: `source/${url}`,
    location,
  });
}

/** The file system of an image, looked up for a platform. */
export function imageVertex(
  image: NamedImage,
  at: {
    readonly name: string;
    readonly slot: string;
    readonly platform: Platform;
    readonly location: SourceLocation;
  },
): Vertex {
  const { platform, ...named } = at;
  const chain = chainID(image.config.value.rootfs.diff_ids);
  if (chain === undefined) return scratchVertex(named.slot);
  const manifest = image.manifest.descriptor.digest;
  return makeVertex({ op: { kind: "image", ref: image.name, manifest, chain, platform }, inputs: [], ...named });
}

/** The image's name with the digest of its manifest. */
export function pinnedName({ name, manifest }: NamedImage): string {
  return `${name}@${manifest.descriptor.digest}`;
}

/** A stage over an image, with its config. @throws E_CONFIG_INVALID */
export function overImage(own: StageState, image: NamedImage, name: string): StageState {
  const { value: config } = image.config;
  checkRunnable(image.name, config);
  return {
    ...own,
    vertex: imageVertex(image, {
      name,
      slot: `${own.name}/0`,
      platform: own.platform,
      location: own.stage.from.location,
    }),
    stepIndex: 1,
    config: { ...config.config },
    author: config.author,
    history: HistoryLines.of(config.history),
    env: config.config?.Env ?? [],
    base: config,
  };
}

/** A stage over another one. */
export function overStage(own: StageState, parent: StageState): StageState {
  const { platform, vertex, config, author, history, env, args, base, workdirSet } = parent;
  return {
    ...own,
    platform,
    vertex,
    config: { ...config },
    author,
    history: HistoryLines.over(history),
    env,
    args,
    base,
    workdirSet,
  };
}

/** A stage over the content of a context, which becomes its first layer. */
export function overTree(
  own: StageState,
  tree: { readonly source: Vertex; readonly name: string; readonly epoch: number | undefined },
): StageState {
  const { source, name, epoch } = tree;
  const step = `[context ${name}] load`;
  const slot = `${own.name}/0`;
  const vertex = makeVertex({
    op: {
      kind: "copy",
      sources: [{ input: 1, path: "/" }],
      dest: "/",
      unpack: false,
      ...(epoch === undefined ? {} : { epoch }),
    },
    inputs: [scratchVertex(`${slot}/scratch`), source],
    name: step,
    slot,
    location: own.stage.from.location,
    ignoreCache: own.ignoreCache,
  });
  return { ...own, vertex, history: HistoryLines.of([{ created_by: step, comment: "buildkit.exporter.image.v0" }]) };
}
