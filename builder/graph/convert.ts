import { suggest } from "../dockerfile/suggest.ts";
import type { ImageConfig } from "../../store/oci/config.ts";
import { chainID, type Digest } from "../../store/oci/digest.ts";
import type { Platform } from "../../store/oci/platform.ts";
import { parsePlatform } from "../../store/oci/platform.ts";
import type { DockerfileAst, DockerfileWarning, Instruction, Stage } from "../dockerfile/ast.ts";
import { locateVariable } from "../dockerfile/locate-variable.ts";
import { DockerfileError } from "../dockerfile/error.ts";
import type { SourceLocation } from "../dockerfile/location.ts";
import { parseOnbuild } from "../dockerfile/parse.ts";
import { cacheComment, parseCacheLimit, type CacheLimit } from "./cache-limit.ts";
import type { DispatchContext } from "./dispatch/context.ts";
import { dispatch } from "./dispatch/dispatch.ts";
import { evaluateGlobalArgs, expandGlobal, predefinedArgs, proxyArgs, type BuildPlatforms } from "./global-args.ts";
import { ensurePath, type StageState } from "./stage-state.ts";
import { limitCache, makeVertex, scratchVertex, type Vertex } from "./vertex.ts";

/** An image that FROM or COPY --from names, pinned. */
export interface ResolvedImage {
  /** Normalised, with tag. */
  readonly ref: string;
  readonly manifest: Digest;
  readonly config: ImageConfig;
  readonly platform: Platform;
}

/** What a conversion needs beside the Dockerfile. */
export interface ConvertOptions {
  readonly target: string | undefined;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly labels: Readonly<Record<string, string>>;
  readonly platforms: BuildPlatforms;
  readonly network: "default" | "none" | "host";
  readonly epoch: number | undefined;
  readonly noCache: boolean | readonly string[];
  /** Finds and pins an image; called once for each name and platform. @throws E_BASE_NOT_FOUND ... */
  readonly resolveImage: (name: string, platform: Platform, location: SourceLocation) => Promise<ResolvedImage>;
}

/** The step graph of one target and the image it makes, without what only running tells (layers, times). */
export interface BuildPlan {
  readonly target: Vertex;
  readonly image: Omit<ImageConfig, "rootfs">;
  /** Found while the instructions were given their meaning. */
  readonly warnings: readonly DockerfileWarning[];
  /** --build-arg names that no ARG took. */
  readonly unusedArgs: readonly string[];
  /** Steps in progress numbering: the stage's name or number of the target. */
  readonly targetName: string;
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
  readonly #stages = new Map<number, Promise<StageState>>();
  readonly #images = new Map<string, Promise<ResolvedImage>>();
  readonly #usedArgs = new Set<string>();
  readonly #warnings: DockerfileWarning[] = [];
  readonly #context: Vertex;

  constructor(ast: DockerfileAst, options: ConvertOptions) {
    this.#ast = ast;
    this.#options = options;
    const predefined = predefinedArgs(options.platforms, options.target ?? ast.stages.at(-1)?.name);
    this.#globalArgs = evaluateGlobalArgs(ast, predefined, options.buildArgs);
    for (const arg of ast.globalArgs.flatMap((instruction) => instruction.args)) this.#usedArgs.add(arg.key);
    for (const key of predefined.keys()) this.#usedArgs.add(key);
    this.#context = makeVertex({
      op: { kind: "context" },
      inputs: [],
      name: "[internal] load build context",
      slot: "context",
    });
  }

  async plan(): Promise<BuildPlan> {
    const index = this.#targetIndex();
    this.#prefetch(index);
    const state = await this.#stage(index);
    const labels = { ...state.config.Labels, ...this.#options.labels };
    if (Object.keys(labels).length > 0) state.config.Labels = labels;
    const { architecture, os, variant } = state.platform;
    return {
      target: state.vertex,
      image: {
        ...(state.author === undefined ? {} : { author: state.author }),
        architecture,
        os,
        ...(variant === undefined || variant === "" ? {} : { variant }),
        config: state.config,
        history: state.history,
      },
      unusedArgs: [...this.#options.buildArgs.keys()].filter(
        (key) => !this.#usedArgs.has(key) && !proxyArgs.has(key) && !reserved(key),
      ),
      warnings: this.#warnings,
      targetName: state.name,
    };
  }

  #targetIndex(): number {
    const { target } = this.#options;
    const { stages } = this.#ast;
    if (target === undefined || target === "") return stages.length - 1;
    const index = stages.findLastIndex((stage) => stage.name === target.toLowerCase());
    if (index >= 0) return index;
    if (/^\d+$/.test(target) && Number(target) < stages.length) return Number(target);
    const names = stages.map((stage) => stage.name ?? String(stage.index));
    const near = suggest(target, names);
    const last = stages.at(-1);
    throw new DockerfileError(`Cannot build target ${JSON.stringify(target)}: the file has no such stage`, {
      code: "E_TARGET_NOT_FOUND",
      location: last?.from.location ?? {
        file: this.#ast.file,
        start: { line: 1, column: 1 },
        end: { line: 1, column: 1 },
      },
      source: this.#ast.text,
      notes: [`stages: ${names.join(", ")}`],
      ...(near === undefined ? {} : { hint: `did you mean \`--target ${near}\`?` }),
    });
  }

  /** Looks up the base images of all stages that the text shows to be needed, at once. */
  #prefetch(index: number, seen: Set<number> = new Set()): void {
    const stage = this.#ast.stages[index];
    if (stage === undefined || seen.has(index)) return;
    seen.add(index);
    const base = this.#baseName(stage);
    const parent = this.#findStage(base, index);
    if (parent !== undefined) this.#prefetch(parent, seen);
    else if (base !== "scratch")
      this.#image(base, this.#platform(stage), stage.from.image.location).catch(() => undefined);
    for (const instruction of stage.instructions) {
      const source = copySource(instruction);
      const found = source === undefined ? undefined : this.#findStage(source, index);
      if (found !== undefined) this.#prefetch(found, seen);
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
    const state = await this.#baseState(stage);
    const triggers = (state.config.OnBuild ?? []).map((text) =>
      parseOnbuild(text, { file: this.#ast.file, source: this.#ast.text, location: stage.from.location }),
    );
    delete state.config.OnBuild;
    const steps = [
      ...triggers.map((instruction) => ({ instruction, onbuild: true })),
      ...stage.instructions.map((instruction) => ({ instruction, onbuild: false })),
    ];
    const sources = await this.#copySources(
      steps.map((step) => step.instruction),
      index,
    );
    state.stepTotal = countSteps(steps.map((step) => step.instruction)) + state.stepIndex;
    ensurePath(state);
    const context = this.#dispatchContext(sources);
    for (const { instruction, onbuild } of steps) {
      const below = state.vertex;
      dispatch(state, instruction, context, onbuild);
      const limit = this.#cacheLimit(instruction);
      if (limit !== undefined) state.vertex = limitCache(state.vertex, below, limit);
    }
    return state;
  }

  /** Of a comment such as `# cache=12h` directly above the instruction. */
  #cacheLimit(instruction: Instruction): CacheLimit | undefined {
    const text = cacheComment(instruction.comments);
    if (text === undefined) return undefined;
    const limit = parseCacheLimit(text);
    if (limit === undefined) {
      const message = `The comment cache=${text} has no effect: it is no duration such as 12h or 7d, and not never`;
      this.#warnings.push({ rule: "InvalidCacheLimit", message, location: instruction.keyword });
    }
    return limit;
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
      epoch: this.#options.epoch,
      stageVertex: (from) => {
        const vertex = sources.get(from);
        if (vertex === undefined) throw new RangeError(`no source ${from}`);
        return vertex;
      },
      usedArgs: this.#usedArgs,
      onUndefined: (name, location, known) => {
        const near = suggest(name, known);
        const meant = near === undefined ? "" : ` (did you mean $${near}?)`;
        this.#warnings.push({
          rule: "UndefinedVar",
          message: `Usage of undefined variable '$${name}'${meant}`,
          location: locateVariable(this.#ast.text, name, location),
        });
      },
    };
  }

  async #baseState(stage: Stage): Promise<StageState> {
    const name = this.#baseName(stage);
    const parent = this.#findStage(name, stage.index);
    const own = {
      stage,
      name: stage.name ?? `stage-${stage.index}`,
      label: this.#ast.stages.length === 1 ? "" : (stage.name ?? `stage-${stage.index}`),
      ignoreCache: this.#ignoresCache(stage),
      stepIndex: 0,
      stepTotal: 0,
      cmdSet: false,
    };
    if (parent !== undefined) {
      const base = await this.#stage(parent);
      return {
        ...own,
        platform: base.platform,
        vertex: base.vertex,
        config: { ...base.config },
        author: base.author,
        history: [...base.history],
        env: base.env,
        args: [...base.args],
        base: base.base,
      };
    }
    const platform = this.#platform(stage);
    const empty = { ...own, platform, author: undefined, history: [], env: [], args: [], base: undefined };
    if (name === "scratch") return { ...empty, config: { WorkingDir: "/" }, vertex: scratchVertex(`${own.name}/0`) };
    const image = await this.#image(name, platform, stage.from.image.location);
    return {
      ...empty,
      platform: image.platform,
      vertex: imageVertex(image, {
        name: `[${own.label === "" ? "" : `${own.label} `}1/${1 + countSteps(stage.instructions)}] FROM ${image.ref}@${image.manifest}`,
        slot: `${own.name}/0`,
        location: stage.from.location,
      }),
      stepIndex: 1,
      config: { ...image.config.config },
      author: image.config.author,
      history: [...(image.config.history ?? [])],
      env: image.config.config?.Env ?? [],
      base: image.config,
    };
  }

  /** The file systems that the COPY --from of these instructions name. */
  async #copySources(instructions: readonly Instruction[], index: number): Promise<ReadonlyMap<string, Vertex>> {
    const found = new Map<string, Promise<Vertex>>();
    for (const instruction of instructions) {
      const from = copySource(instruction);
      if (from !== undefined && !found.has(from)) found.set(from, this.#copySource(from, instruction, index));
    }
    const entries = await Promise.all([...found].map(async ([from, vertex]) => [from, await vertex] as const));
    return new Map(entries);
  }

  async #copySource(from: string, instruction: Instruction, index: number): Promise<Vertex> {
    if (from.includes("$")) {
      throw this.#fail(instruction, {
        code: "E_COPY_FROM_VARIABLE",
        message: `Cannot copy from ${JSON.stringify(from)}: variables are not expanded in --from`,
        hint: "name the image in a stage of its own: FROM $IMAGE AS source, then COPY --from=source",
      });
    }
    const stage = this.#findStage(from, this.#ast.stages.length);
    if (stage !== undefined) {
      if (stage < index) return (await this.#stage(stage)).vertex;
      throw this.#fail(instruction, {
        code: "E_STAGE_ORDER",
        message: `Cannot copy from stage ${JSON.stringify(from)}: it must be defined before this one`,
        hint: "move its FROM above this stage",
      });
    }
    if (/^\d+$/.test(from)) {
      throw this.#fail(instruction, {
        code: "E_STAGE_NOT_FOUND",
        message: `Cannot copy from stage ${from}: the file has ${this.#ast.stages.length} stages, counted from 0`,
      });
    }
    const flag = instruction.flags.find((one) => one.name === "from");
    const image = await this.#image(from, this.#options.platforms.target, flag?.location ?? instruction.location);
    return imageVertex(image, {
      name: `FROM ${image.ref}@${image.manifest}`,
      slot: `image/${image.ref}`,
      location: instruction.location,
    });
  }

  #fail(instruction: Instruction, options: { code: string; message: string; hint?: string }): DockerfileError {
    const flag = instruction.flags.find((one) => one.name === "from");
    return new DockerfileError(options.message, {
      code: options.code,
      location: flag?.location ?? instruction.location,
      source: this.#ast.text,
      ...(options.hint === undefined ? {} : { hint: options.hint }),
    });
  }

  #baseName(stage: Stage): string {
    const name = expandGlobal(this.#ast, stage.from.image.raw, this.#globalArgs, stage.from.image.location);
    if (name !== "") return name;
    throw new DockerfileError(`Cannot build stage ${stage.index}: ${stage.from.image.raw} is empty`, {
      code: "E_BASE_EMPTY",
      location: stage.from.image.location,
      source: this.#ast.text,
      hint: "give its ARG a default before the first FROM, or --build-arg",
    });
  }

  #platform(stage: Stage): Platform {
    const raw = stage.from.platform;
    if (raw === undefined) return this.#options.platforms.target;
    const text = expandGlobal(this.#ast, raw, this.#globalArgs, stage.from.location);
    try {
      return parsePlatform(text);
    } catch (error) {
      throw new DockerfileError(`Cannot read --platform=${raw}: ${JSON.stringify(text)} is not os/arch[/variant]`, {
        code: "E_PLATFORM_INVALID",
        location: stage.from.flags.find((flag) => flag.name === "platform")?.location ?? stage.from.location,
        source: this.#ast.text,
        cause: error,
      });
    }
  }

  /** Index of the stage that a name or number means, among those before `before`. */
  #findStage(name: string, before: number): number | undefined {
    const earlier = this.#ast.stages.slice(0, before);
    const index = earlier.findLastIndex((stage) => stage.name === name.toLowerCase());
    if (index >= 0) return index;
    const copying = before === this.#ast.stages.length;
    return copying && /^\d+$/.test(name) && Number(name) < before ? Number(name) : undefined;
  }

  #image(name: string, platform: Platform, location: SourceLocation): Promise<ResolvedImage> {
    const key = JSON.stringify([name, platform]);
    const known = this.#images.get(key);
    if (known !== undefined) return known;
    const made = this.#options.resolveImage(name, platform, location);
    this.#images.set(key, made);
    return made;
  }

  #ignoresCache(stage: Stage): boolean {
    const { noCache } = this.#options;
    return typeof noCache === "boolean" ? noCache : noCache.some((name) => name.toLowerCase() === stage.name);
  }
}

function imageVertex(
  image: ResolvedImage,
  named: { readonly name: string; readonly slot: string; readonly location: SourceLocation },
): Vertex {
  const chain = chainID(image.config.rootfs.diff_ids);
  if (chain === undefined) return scratchVertex(named.slot);
  const { ref, manifest, platform } = image;
  return makeVertex({ op: { kind: "image", ref, manifest, chain, platform }, inputs: [], ...named });
}

function copySource(instruction: Instruction): string | undefined {
  return instruction.kind === "COPY" || instruction.kind === "ADD" ? instruction.from : undefined;
}

function countSteps(instructions: readonly Instruction[]): number {
  const steps = new Set(["RUN", "COPY", "ADD", "WORKDIR"]);
  return instructions.filter((instruction) => steps.has(instruction.kind)).length;
}

/** --build-arg names that steer the builder itself. */
function reserved(key: string): boolean {
  return key === "SOURCE_DATE_EPOCH";
}
