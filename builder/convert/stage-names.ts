import type { Platform } from "../../store/oci/platform.ts";
import { parsePlatform } from "../../store/oci/platform.ts";
import type { DockerfileAst, Instruction, Stage } from "../dockerfile/ast.ts";
import { DockerfileError } from "../base/error.ts";
import { expandWord } from "../dockerfile/expand.ts";
import { nearestName, suggest } from "../base/suggest.ts";
import { expandGlobal } from "./global-args.ts";

/** What the names in a Dockerfile's FROM lines, and those of stages elsewhere, mean. */
export class StageNames {
  readonly #ast: DockerfileAst;
  readonly #globalArgs: ReadonlyMap<string, string>;
  readonly #target: Platform;
  readonly #byName: ReadonlyMap<string | undefined, readonly number[]>;

  /** `target`: what stages are for that do not say it. */
  constructor(ast: DockerfileAst, globalArgs: ReadonlyMap<string, string>, target: Platform) {
    this.#ast = ast;
    this.#globalArgs = globalArgs;
    this.#target = target;
    this.#byName = Map.groupBy(ast.stages.keys(), (index) => ast.stages[index]?.name);
  }

  /** What the stage begins from, as its FROM says after expansion. @throws E_BASE_EMPTY, E_EXPAND */
  base(stage: Stage): string {
    const name = expandGlobal(this.#ast, stage.from.image.raw, this.#globalArgs, stage.from.image.location);
    if (name !== "") return name;
    throw new DockerfileError(`Cannot build stage ${stage.index}: ${stage.from.image.raw} is empty`, {
      code: "E_BASE_EMPTY",
      location: stage.from.image.location,
      source: this.#ast.text,
      hint: this.#meant(stage.from.image.raw) ?? "give its ARG a default before the first FROM, or --build-arg",
    });
  }

  /** What the stage is built for. @throws E_PLATFORM_INVALID, E_EXPAND */
  platform(stage: Stage): Platform {
    const raw = stage.from.platform;
    if (raw === undefined || raw === "") return this.#target;
    const text = expandGlobal(this.#ast, raw, this.#globalArgs, stage.from.location);
    try {
      return parsePlatform(text);
    } catch (error) {
      const hint = this.#meant(raw);
      throw new DockerfileError(`Cannot read --platform=${raw}: ${JSON.stringify(text)} is not os/arch[/variant]`, {
        code: "E_PLATFORM_INVALID",
        location: stage.from.flags.find((flag) => flag.name === "platform")?.location ?? stage.from.location,
        source: this.#ast.text,
        cause: error,
        ...(hint === undefined ? {} : { hint }),
      });
    }
  }

  /** The variable that was meant, where one without a value has nearly its name. */
  #meant(raw: string): string | undefined {
    const { unmatched } = expandWord(raw, this.#globalArgs, { escape: this.#ast.escape });
    const names = [...this.#globalArgs.keys()];
    const [near] = unmatched.flatMap((name) => nearestName(name, names) ?? []);
    return near === undefined ? undefined : `did you mean $${near}?`;
  }

  /** Index of the stage that a name or number means, among those before `before`. */
  find(name: string, before: number): number | undefined {
    const index = this.#byName.get(name.toLowerCase())?.findLast((one) => one < before);
    if (index !== undefined) return index;
    const copying = before === this.#ast.stages.length;
    return copying && /^\d+$/.test(name) && Number(name) < before ? Number(name) : undefined;
  }

  /** Index of the stage that --target means; the last one without it. @throws E_TARGET_NOT_FOUND */
  target(target: string | undefined): number {
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
}

/**
 * Whether the names of steps have their stage's: of a file with one stage they have not. As with BuildKit every source of
 * a COPY or of a mount counts as one.
 */
export function namesStages({ stages }: DockerfileAst): boolean {
  const instructions = stages.length === 1 ? (stages[0]?.instructions ?? []) : undefined;
  return instructions?.some(hasOtherSource) ?? true;
}

function hasOtherSource(instruction: Instruction): boolean {
  if (instruction.kind === "RUN") return instruction.flags.some(({ name }) => name === "mount");
  return instruction.kind === "COPY" && instruction.from !== undefined;
}

/** Whether a name of the command line, in any case, or a number is the stage's. */
export function isStage(stage: Stage, name: string): boolean {
  return stage.name === name.toLowerCase() || (/^\d+$/.test(name) && Number(name) === stage.index);
}
