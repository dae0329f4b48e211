import type { FoundContext } from "../inputs/context/named.ts";
import { splitUrl, withoutUser } from "../base/split-url.ts";
import type { SourceLocation } from "../base/location.ts";
import type { NamedImage } from "../../store/oci/image.ts";
import type { Platform } from "../../store/oci/platform.ts";
import { contextVertex, imageVertex, overImage, overStage, pinnedName, overTree } from "./base.ts";
import type { KeepUser } from "./dispatch/context.ts";
import { gitSpec, gitVertex } from "../graph/git-vertex.ts";
import type { StageState } from "./stage-state.ts";
import { makeVertex, scratchVertex, type Vertex } from "../graph/vertex.ts";

/** What named contexts need of the conversion that they are part of. */
export interface ContextNeeds {
  readonly epoch: number | undefined;
  readonly keepUser: KeepUser;
  /** The image of a context that is one. */
  readonly image: (found: FoundContext, platform: Platform, location: SourceLocation) => Promise<NamedImage>;
  /** The stage that `target:STAGE` means, which must come before the stage of the number. */
  readonly stage: (name: string, before: number, location: SourceLocation) => Promise<StageState>;
}

/** A stage over what a context stands for. `own` is the stage over nothing. */
export async function namedState(own: StageState, found: FoundContext, needs: ContextNeeds): Promise<StageState> {
  const { name, context } = found;
  const { stage } = own;
  const { location } = stage.from.image;
  switch (context.kind) {
    case "scratch":
      return own;
    case "directory":
    case "stdin":
    case "url":
    case "git":
      return overTree(own, { source: treeVertex(found, needs, location), name, epoch: needs.epoch });
    case "target":
      return overStage(own, await needs.stage(context.stage, stage.index, location));
    case "image":
    case "layout": {
      const image = await needs.image(found, own.platform, location);
      return overImage(own, image, `[context ${name}] ${pinnedName(image)}`);
    }
    default:
      return context satisfies never;
  }
}

/** Where a context is named: in the stage of a number, for a platform. */
export interface NamedAt {
  readonly stage: number;
  readonly platform: Platform;
  readonly location: SourceLocation;
}

/** The file system of a context that COPY or RUN --mount names. A directory is read where it is. */
export async function namedVertex(found: FoundContext, needs: ContextNeeds, at: NamedAt): Promise<Vertex> {
  const { name, context } = found;
  const { stage, platform, location } = at;
  switch (context.kind) {
    case "scratch":
      return scratchVertex(`context/${name}`);
    case "directory":
    case "stdin":
    case "url":
    case "git":
      return treeVertex(found, needs, location);
    case "target":
      return (await needs.stage(context.stage, stage, location)).vertex;
    case "image":
    case "layout": {
      const image = await needs.image(found, platform, location);
      const step = `[context ${name}] ${pinnedName(image)}`;
      return imageVertex(image, { name: step, slot: `context/${name}`, platform, location });
    }
    default:
      return context satisfies never;
  }
}

/** A context that is a tree of files. */
function treeVertex({ name, context }: FoundContext, needs: ContextNeeds, location: SourceLocation): Vertex {
  if (context.kind === "git") {
    const { remote, userinfo } = context.url;
    if (userinfo !== undefined) needs.keepUser(remote, userinfo);
    return gitVertex(gitSpec(context.url), location, `[context ${name}]`);
  }
  if (context.kind !== "url") return contextVertex(name);
  const url = withoutUser(context.url);
  const { userinfo } = splitUrl(context.url) ?? {};
  if (userinfo !== undefined) needs.keepUser(url, userinfo);
  return makeVertex({
    op: { kind: "http", url, name: "context", tree: true },
    inputs: [],
    name: `[context ${name}] ${url}`,
    slot: `source/${url}`,
    location,
  });
}
