import type { DockerfileAst, Instruction, RunInstruction, Stage } from "../../dockerfile/ast.ts";
import { DockerfileError } from "../../base/error.ts";

/** Where in a Dockerfile a shell is opened: at a line, at the end of a stage, or at the end of the target. */
export type ShellPlace =
  | { readonly kind: "line"; readonly line: number; readonly before: boolean }
  | { readonly kind: "stage"; readonly name: string }
  | { readonly kind: "end" };

/** A Dockerfile whose target ends with a RUN that stands for the shell. */
export interface PlacedShell {
  readonly ast: DockerfileAst;
  /** The stage's number. */
  readonly target: string;
  /** `after line 7 of stage build` */
  readonly where: string;
}

/**
 * Cuts the stage off at the place and ends it with a RUN in which everything is as it is there: file system, variables,
 * user, directory and, at a RUN, its mounts and flags. @throws DockerfileError E_SHELL_PLACE
 */
export function placeShell(ast: DockerfileAst, place: ShellPlace, target: string | undefined): PlacedShell {
  const stage =
    place.kind === "line"
      ? stageOfLine(ast, place.line)
      : stageNamed(ast, place.kind === "stage" ? place.name : target);
  const kept = place.kind === "line" ? instructionsUpTo(stage, place) : stage.instructions;
  const at =
    place.kind === "line"
      ? (instructionAt(stage, place.line) ?? stage.from)
      : (stage.instructions.at(-1) ?? stage.from);
  const name = stage.name ?? `stage-${stage.index}`;
  const cut: Stage = { ...stage, instructions: [...kept, shellStep(at)] };
  return {
    ast: { ...ast, stages: ast.stages.map((one) => (one === stage ? cut : one)) },
    target: String(stage.index),
    where:
      place.kind === "line"
        ? `${place.before ? "before" : "after"} line ${at.location.start.line} (${at.kind}) of stage ${name}`
        : `at the end of stage ${name}`,
  };
}

/** The RUN itself with another command, or one that has nothing of its own. */
function shellStep(at: Instruction): RunInstruction {
  const command = { form: "exec", args: ["shell"] } as const;
  if (at.kind === "RUN") return { ...at, command, heredocs: [], comments: [] };
  const { location, lines, keyword } = at;
  const nothing = { flags: [], heredocs: [], comments: [], emptyLines: [] };
  return { kind: "RUN", original: "RUN shell", location, lines, keyword, ...nothing, command };
}

function stageOfLine(ast: DockerfileAst, line: number): Stage {
  const stage = ast.stages.findLast(({ from }) => from.location.start.line <= line);
  if (stage !== undefined && line <= ast.text.split("\n").length) return stage;
  throw placeError(
    ast,
    `Cannot open a shell at line ${line}: ${stage === undefined ? "it is before the first FROM" : "the file ends before it"}`,
  );
}

function stageNamed(ast: DockerfileAst, name: string | undefined): Stage {
  const stage =
    name === undefined
      ? ast.stages.at(-1)
      : (ast.stages.findLast((one) => one.name === name.toLowerCase()) ??
        (/^\d+$/.test(name) ? ast.stages[Number(name)] : undefined));
  if (stage !== undefined) return stage;
  const names = ast.stages.map((one) => one.name ?? String(one.index)).join(", ");
  throw placeError(ast, `Cannot open a shell in stage ${JSON.stringify(name)}: the stages are ${names}`);
}

/** The instruction that the line belongs to; a line between two belongs to the one above. */
function instructionAt(stage: Stage, line: number): Instruction | undefined {
  return stage.instructions.findLast(({ location }) => location.start.line <= line);
}

function instructionsUpTo(
  stage: Stage,
  place: { readonly line: number; readonly before: boolean },
): readonly Instruction[] {
  const at = instructionAt(stage, place.line);
  return at === undefined ? [] : stage.instructions.slice(0, stage.instructions.indexOf(at) + (place.before ? 0 : 1));
}

function placeError(ast: DockerfileAst, message: string): DockerfileError {
  const [first] = ast.stages;
  const top = { file: ast.file, start: { line: 1, column: 1 }, end: { line: 1, column: 1 } };
  return new DockerfileError(message, {
    code: "E_SHELL_PLACE",
    location: first?.from.location ?? top,
    source: ast.text,
    hint: "give the line of an instruction, a stage's name, or `failed`",
  });
}
