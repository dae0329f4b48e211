import type { ContainerConfig, ImageConfig } from "../../store/oci/config.ts";
import { platformOf, type NamedImage } from "../../store/oci/image.ts";
import type { Platform } from "../../store/oci/platform.ts";
import { isReference } from "../../store/oci/reference.ts";
import type { DockerfileAst, Instruction, Stage } from "../dockerfile/ast.ts";
import { DockerfileError } from "../base/error.ts";
import { expandWord, type Expanded } from "../dockerfile/expand.ts";
import type { SourceLocation } from "../base/location.ts";
import { parseOnbuild } from "../dockerfile/parse.ts";
import { cacheComment, parseCacheLimit, type CacheLimit } from "../graph/cache-limit.ts";
import { findContext, type ContextTable, type FoundContext, type NamedContext } from "../inputs/context/named.ts";
import { contextVertex, imageVertex, overImage, overStage, pinnedName } from "./base.ts";
import { namedState, namedVertex, type ContextNeeds } from "./named-context.ts";
import type { Entitlement } from "../graph/entitlement.ts";
import type { RunLimits } from "../graph/opspec.ts";
import type { BaseFacts, ConvertObserver } from "./observer.ts";
import { imagePlatform } from "./image-platform.ts";
import { expandFrom } from "./copy-from.ts";
import type { DispatchContext, KeepUser } from "./dispatch/context.ts";
import { dispatch } from "./dispatch/dispatch.ts";
import { builderArgs, evaluateGlobalArgs, predefinedArgs, type BuildPlatforms } from "./global-args.ts";
import { proxyArgs } from "../graph/proxy-args.ts";
import { namedSources, type NamedSource } from "./named-sources.ts";
import { HistoryLines } from "./history-lines.ts";
import { isStage, namesStages, StageNames } from "./stage-names.ts";
import { ensurePath, stepNumber, type StageState } from "./stage-state.ts";
import { limitCache, scratchVertex, type Vertex } from "../graph/vertex.ts";

/** What a conversion needs beside the Dockerfile. */
export interface ConvertOptions {
  readonly target: string | undefined;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly labels: Readonly<Record<string, string>>;
  readonly platforms: BuildPlatforms;
  readonly network: "default" | "none" | "host";
  readonly allow: ReadonlySet<Entitlement>;
  readonly devices: DispatchContext["devices"];
  readonly limits: RunLimits;
  /** Of every RUN, when it is not the usual one. */
  readonly hostname: string | undefined;
  readonly epoch: number | undefined;
  readonly noCache: boolean | readonly string[];
  /** Finds and pins an image; called once for each name and platform. @throws E_BASE_NOT_FOUND ... */
  readonly resolveImage: (name: string, platform: Platform, location: SourceLocation) => Promise<NamedImage>;
  readonly keepUser: KeepUser;
  /** What --build-context puts in the place of images and stages. */
  readonly contexts: ContextTable;
  readonly resolveLayout: (
    name: string,
    layout: Extract<NamedContext, { kind: "layout" }>,
    platform: Platform,
    location: SourceLocation,
  ) => Promise<NamedImage>;
  readonly observer?: ConvertObserver;
  /** Looks at every stage of the file, needed or not. */
  readonly allStages?: boolean;
}

/** The step graph of one target and the image it makes, without what only running tells (layers, times). */
export interface BuildPlan {
  readonly target: Vertex;
  /** What the target's stage stands on: the last of its FROM. undefined: a context stands for the stage. */
  readonly below: StageBase | undefined;
  readonly image: Omit<ImageConfig, "rootfs">;
  /** --build-arg names that no ARG took. */
  readonly unusedArgs: readonly string[];
  /** The target's number, and those of the stages that were looked at. */
  readonly targetIndex: number;
  readonly stages: readonly number[];
  /** Steps in progress numbering: the stage's name or number of the target. */
  readonly targetName: string;
}

/** What a stage begins with. */
export interface StageBase {
  readonly vertex: Vertex;
  /** Lines of history that it came with. */
  readonly history: number;
}

/** Turns a parsed Dockerfile into the graph of the target stage; stages it does not need are not looked at. */
export async function convert(ast: DockerfileAst, options: ConvertOptions): Promise<BuildPlan> {
  return await new Converter(ast, options).plan();
}

/** One conversion: memory of the stages and images done so far. */
class Converter {
  readonly #ast: DockerfileAst;
  readonly #options: ConvertOptions;
  readonly #globalArgs: ReadonlyMap<string, string>;
  readonly #names: StageNames;
  readonly #labelled: boolean;
  readonly #stages = new Map<number, Promise<StageState>>();
  readonly #bases = new Map<number, StageBase>();
  readonly #images = new Map<string, Promise<NamedImage>>();
  readonly #usedArgs = new Set<string>();
  readonly #context: Vertex;

  constructor(ast: DockerfileAst, options: ConvertOptions) {
    this.#ast = ast;
    this.#options = options;
    const predefined = predefinedArgs(options.platforms, options.target ?? ast.stages.at(-1)?.name);
    const given = new Map([...predefined].map(([key, value]) => [key, options.buildArgs.get(key) ?? value]));
    options.observer?.file({ ast, predefined: given });
    this.#globalArgs = evaluateGlobalArgs(ast, predefined, options.buildArgs);
    this.#labelled = namesStages(ast);
    this.#names = new StageNames(ast, this.#globalArgs, options.platforms.target);
    for (const arg of ast.globalArgs.flatMap((instruction) => instruction.args)) this.#usedArgs.add(arg.key);
    for (const key of predefined.keys()) this.#usedArgs.add(key);
    this.#context = contextVertex("");
  }

  async plan(): Promise<BuildPlan> {
    for (const stage of this.#ast.stages) this.#observeFrom(stage);
    for (const stage of this.#ast.stages) await this.#checkNames(stage);
    const index = this.#names.target(this.#options.target);
    if (this.#options.allStages === true) await this.#allStages();
    else this.#prefetch(index);
    const state = await this.#stage(index);
    state.config.Labels = { ...state.config.Labels, ...this.#options.labels };
    const { platforms } = this.#options;
    return {
      target: state.vertex,
      below: this.#bases.get(index),
      image: {
        ...(state.author === undefined ? {} : { author: state.author }),
        ...imagePlatform(state, platforms.explicit === true ? platforms.target : undefined),
        config: withoutEmpty(state.config),
        history: state.history.all(),
      },
      unusedArgs: [...this.#options.buildArgs.keys()].filter(
        (key) => !this.#usedArgs.has(key) && !proxyArgs.has(key) && !builderArgs.has(key),
      ),
      targetIndex: index,
      stages: [...this.#stages.keys()],
      targetName: state.name,
    };
  }

  /** Looks up the base images of all stages that the text shows to be needed, at once. */
  #prefetch(index: number, seen: Set<number> = new Set()): void {
    const rest = [index];
    for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
      const stage = this.#ast.stages[next];
      if (stage === undefined || seen.has(next)) continue;
      seen.add(next);
      if (this.#replacement(stage) === undefined) rest.push(...this.#prefetchBase(stage).toReversed());
    }
  }

  /** The stages that the stage needs. */
  #prefetchBase(stage: Stage): readonly number[] {
    const base = this.#names.base(stage);
    const parent = this.#names.find(base, stage.index);
    const platform = this.#names.platform(stage);
    if (parent === undefined && base !== "scratch" && findContext(this.#options.contexts, base, platform) === undefined)
      this.#image(base, platform, stage.from.image.location).catch(() => undefined);
    const sources = stage.instructions.flatMap((instruction) => namedSources(instruction));
    return [parent, ...sources.map(({ from }) => this.#names.find(from, stage.index))].filter(
      (one) => one !== undefined,
    );
  }

  /** One after the other, so that the first error is that of the first stage. */
  async #allStages(): Promise<void> {
    const seen = new Set<number>();
    for (const { index } of this.#ast.stages) this.#prefetch(index, seen);
    for (const { index } of this.#ast.stages) await this.#stage(index);
  }

  /** As with BuildKit: a name that can be nothing is an error also in a stage that nothing needs. Asks nobody. */
  async #checkNames(stage: Stage): Promise<void> {
    const [base, platform] = [this.#names.base(stage), this.#names.platform(stage)];
    if (this.#replacement(stage) !== undefined) return;
    const found = this.#names.find(base, stage.index) ?? findContext(this.#options.contexts, base, platform);
    if (found === undefined && !isReference(base)) await this.#image(base, platform, stage.from.image.location);
    for (const instruction of stage.instructions) {
      for (const source of namedSources(instruction))
        if (this.#isNothing(source, stage.index)) await this.#copySource(source, instruction, stage.index);
    }
  }

  /** Whether it can be told from the name alone that COPY or a mount cannot read from it. */
  #isNothing({ from }: NamedSource, index: number): boolean {
    const stage = this.#names.find(from, this.#ast.stages.length);
    if (stage !== undefined) return stage === index;
    // The variables are those of the stage.
    if (from.includes("$") || this.#findContext(from) !== undefined) return false;
    return /^\d+$/.test(from) || !isReference(from);
  }

  #observeFrom(stage: Stage): void {
    const { observer } = this.#options;
    const { image, platform } = stage.from;
    const expanded = observer === undefined ? undefined : this.#expandedFrom(image.raw, platform);
    if (expanded === undefined) return;
    const own = this.#ast.globalArgs.flatMap(({ args }) => args.map(({ key }) => key));
    const declared = [...new Set([...own, ...this.#globalArgs.keys()])];
    observer?.from({ stage, ...expanded, args: this.#globalArgs, declared });
  }

  /** Of one that cannot be read, which is an error soon after, nothing. */
  #expandedFrom(
    image: string,
    platform: string | undefined,
  ): { readonly image: Expanded; readonly platform: Expanded | undefined } | undefined {
    const { escape } = this.#ast;
    const expand = (raw: string): Expanded => expandWord(raw, this.#globalArgs, { escape });
    try {
      return { image: expand(image), platform: platform === undefined ? undefined : expand(platform) };
    } catch {
      return undefined;
    }
  }

  #stage(index: number): Promise<StageState> {
    const known = this.#stages.get(index);
    if (known !== undefined) return known;
    const made = this.#dispatchStage(index);
    this.#stages.set(index, made);
    return made;
  }

  async #dispatchStage(index: number): Promise<StageState> {
    const stage = this.#ast.stages[index];
    if (stage === undefined) throw new RangeError(`no stage ${index}`);
    // Stages stand on each other in chains of any length: the next one begins with an empty stack.
    await Promise.resolve();
    const replacement = this.#replacement(stage);
    // A context of the stage's name stands for all of the stage.
    if (replacement !== undefined) return await this.#namedState(stage, replacement);
    const state = await this.#baseState(stage);
    this.#bases.set(index, { vertex: state.vertex, history: state.history.length });
    const triggers = (state.config.OnBuild ?? []).map((text) =>
      parseOnbuild(text, { file: this.#ast.file, source: this.#ast.text, location: stage.from.location }),
    );
    delete state.config.OnBuild;
    const written = [
      ...triggers.map((instruction) => ({ instruction, onbuild: true })),
      ...stage.instructions.map((instruction) => ({ instruction, onbuild: false })),
    ];
    const { buildArgs } = this.#options;
    const { escape, text: source } = this.#ast;
    const steps = expandFrom(written, state, { buildArgs, globalArgs: this.#globalArgs, escape, source });
    const sources = await this.#copySources(
      steps.map((step) => step.instruction),
      index,
    );
    state.stepTotal = countSteps(steps.map((step) => step.instruction)) + state.stepIndex;
    ensurePath(state);
    const context = this.#dispatchContext(sources);
    const instructions = steps.map((step) => step.instruction);
    for (const [at, { instruction, onbuild }] of steps.entries()) {
      const below = state.vertex;
      this.#options.observer?.step({ state, instruction, steps: instructions, index: at });
      dispatch(state, instruction, context, onbuild);
      this.#options.observer?.applied?.({ state, instruction, steps: instructions, index: at });
      const limit = cacheLimitOf(instruction);
      if (limit !== undefined) state.vertex = limitCache(state.vertex, below, limit);
    }
    return state;
  }

  #dispatchContext(sources: ReadonlyMap<string, Vertex>): DispatchContext {
    return {
      file: this.#ast.file,
      source: this.#ast.text,
      escape: this.#ast.escape,
      buildArgs: this.#options.buildArgs,
      globalArgs: this.#globalArgs,
      context: this.#context,
      network: this.#options.network,
      hostname: this.#options.hostname,
      allow: this.#options.allow,
      devices: this.#options.devices,
      limits: this.#options.limits,
      cacheNamespace: this.#options.buildArgs.get("BUILDKIT_CACHE_MOUNT_NS") ?? "",
      epoch: this.#options.epoch,
      stageVertex: (from) => {
        const vertex = sources.get(from);
        if (vertex === undefined) throw new RangeError(`no source ${from}`);
        return vertex;
      },
      keepUser: this.#options.keepUser,
      usedArgs: this.#usedArgs,
      onUnset: (facts) => this.#options.observer?.unset(facts),
    };
  }

  async #baseState(stage: Stage): Promise<StageState> {
    const name = this.#names.base(stage);
    const parent = this.#names.find(name, stage.index);
    const own = this.#emptyState(stage);
    if (parent !== undefined) return overStage(own, await this.#stage(parent));
    // Nothing has no platform: what is put into it is for the target's.
    if (name === "scratch") return { ...own, platform: this.#options.platforms.target };
    const context = findContext(this.#options.contexts, name, own.platform);
    if (context !== undefined) return await this.#namedState(stage, context);
    const { image: at, location, comments } = stage.from;
    const image = await this.#image(name, own.platform, at.location);
    this.#observeBase(image, { name, location, at: at.location, comments, expected: own.platform });
    const number = stepNumber({ label: own.label, index: 1, total: 1 + countSteps(stage.instructions) });
    return overImage(own, image, `${number} FROM ${pinnedName(image)}`);
  }

  /** A stage over nothing. */
  #emptyState(stage: Stage): StageState {
    const name = stage.name ?? `stage-${stage.index}`;
    return {
      stage,
      name,
      label: this.#labelled ? name : "",
      ignoreCache: this.#ignoresCache(stage),
      stepIndex: 0,
      stepTotal: 0,
      cmdSet: false,
      workdirSet: false,
      platform: this.#names.platform(stage),
      author: undefined,
      history: HistoryLines.of(),
      env: [],
      args: [],
      base: undefined,
      config: { WorkingDir: "/" },
      ownMaps: new WeakSet(),
      vertex: scratchVertex(`${name}/0`),
    };
  }

  /** The context that stands for a stage of the Dockerfile. */
  #replacement(stage: Stage): FoundContext | undefined {
    if (stage.name === undefined || this.#options.contexts.size === 0) return undefined;
    return findContext(this.#options.contexts, stage.name, this.#names.platform(stage));
  }

  /** A stage over what a context stands for. */
  async #namedState(stage: Stage, found: FoundContext): Promise<StageState> {
    return await namedState(this.#emptyState(stage), found, this.#contextNeeds());
  }

  #contextNeeds(): ContextNeeds {
    return {
      epoch: this.#options.epoch,
      keepUser: this.#options.keepUser,
      image: async (found, platform, location) => await this.#contextImage(found, platform, location),
      stage: async (name, before, location) => await this.#stage(this.#contextStage(name, before, location)),
    };
  }

  async #contextImage(
    { name, context }: FoundContext,
    platform: Platform,
    location: SourceLocation,
  ): Promise<NamedImage> {
    if (context.kind === "image") return await this.#image(context.ref, platform, location);
    if (context.kind !== "layout") throw new RangeError(`context ${name} is no image`);
    const key = JSON.stringify([context, platform]);
    const made = this.#images.get(key) ?? this.#options.resolveLayout(name, context, platform, location);
    this.#images.set(key, made);
    return await made;
  }

  /** The stage that `target:STAGE` means; it must come before what is built on it. */
  #contextStage(name: string, before: number, location: SourceLocation): number {
    const index = this.#names.find(name, before);
    if (index !== undefined) return index;
    throw new DockerfileError(`Cannot use the context target:${name}: no stage before this one has that name`, {
      code: "E_STAGE_NOT_FOUND",
      location,
      source: this.#ast.text,
    });
  }

  /** The file systems that COPY --from and RUN --mount=from of these instructions name. */
  async #copySources(instructions: readonly Instruction[], index: number): Promise<ReadonlyMap<string, Vertex>> {
    const found = new Map<string, Promise<Vertex>>();
    for (const instruction of instructions) {
      for (const source of namedSources(instruction)) {
        const { from } = source;
        if (!found.has(from)) found.set(from, this.#copySource(source, instruction, index));
      }
    }
    const entries = await Promise.all([...found].map(async ([from, vertex]) => [from, await vertex] as const));
    return new Map(entries);
  }

  async #copySource({ from, flag }: NamedSource, instruction: Instruction, index: number): Promise<Vertex> {
    const location = flag?.location ?? instruction.location;
    const act = instruction.kind === "RUN" ? "mount" : "copy";
    const stage = this.#names.find(from, this.#ast.stages.length);
    const replaced = stage === undefined ? undefined : this.#ast.stages[stage];
    const replacement = replaced === undefined ? undefined : this.#replacement(replaced);
    const context = replacement ?? (stage === undefined ? this.#findContext(from) : undefined);
    if (context !== undefined) {
      const at = { stage: index, platform: this.#options.platforms.target, location: instruction.location };
      return await namedVertex(context, this.#contextNeeds(), at);
    }
    if (stage !== undefined) {
      if (stage < index) return (await this.#stage(stage)).vertex;
      throw this.#fail(location, {
        code: "E_STAGE_ORDER",
        message: `Cannot ${act} from stage ${JSON.stringify(from)}: it must be defined before this one`,
        hint: "move its FROM above this stage",
      });
    }
    if (/^\d+$/.test(from)) {
      throw this.#fail(location, {
        code: "E_STAGE_NOT_FOUND",
        message: `Cannot ${act} from stage ${from}: the file has ${this.#ast.stages.length} stages, counted from 0`,
      });
    }
    if (from === "scratch") return scratchVertex("scratch");
    const expected = this.#options.platforms.target;
    const image = await this.#image(from, expected, location);
    const { comments, location: whole } = instruction;
    this.#observeBase(image, { name: from, location: whole, at: location, comments, expected });
    return imageVertex(image, {
      name: `FROM ${pinnedName(image)}`,
      slot: `image/${image.name}`,
      platform: expected,
      location: instruction.location,
    });
  }

  #observeBase(image: NamedImage, facts: Omit<BaseFacts, "actual">): void {
    this.#options.observer?.base({ ...facts, actual: platformOf(image) });
  }

  #findContext(name: string): FoundContext | undefined {
    return findContext(this.#options.contexts, name, this.#options.platforms.target);
  }

  #fail(location: SourceLocation, options: { code: string; message: string; hint?: string }): DockerfileError {
    return new DockerfileError(options.message, {
      code: options.code,
      location,
      source: this.#ast.text,
      ...(options.hint === undefined ? {} : { hint: options.hint }),
    });
  }

  #image(name: string, platform: Platform, location: SourceLocation): Promise<NamedImage> {
    const key = JSON.stringify([name, platform]);
    const known = this.#images.get(key);
    if (known !== undefined) return known;
    const made = this.#options.resolveImage(name, platform, location);
    this.#images.set(key, made);
    return made;
  }

  #ignoresCache(stage: Stage): boolean {
    const { noCache } = this.#options;
    return typeof noCache === "boolean" ? noCache : noCache.some((name) => isStage(stage, name));
  }
}

/** Of a comment such as `# cache=12h` directly above the instruction; a check tells of one that says nothing. */
function cacheLimitOf({ comments }: Instruction): CacheLimit | undefined {
  const text = cacheComment(comments);
  return text === undefined ? undefined : parseCacheLimit(text);
}

function countSteps(instructions: readonly Instruction[]): number {
  const steps = new Set(["RUN", "COPY", "ADD", "WORKDIR"]);
  return instructions.filter((instruction) => steps.has(instruction.kind)).length;
}

/** Fields that hold nothing are left out, as Go leaves them out. */
function withoutEmpty(config: ContainerConfig): ContainerConfig {
  const holds = (value: unknown): boolean =>
    value !== "" && !(typeof value === "object" && value !== null && Object.keys(value).length === 0);
  return Object.fromEntries(Object.entries(config).filter(([, value]) => holds(value)));
}
