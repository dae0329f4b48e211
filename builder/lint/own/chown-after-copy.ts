import { posix } from "node:path";
import type { CopyInstruction, Instruction } from "../../dockerfile/ast.ts";
import type { StepRule } from "../rule.ts";
import { runCommands, type RunCommand } from "../shell/run-commands.ts";
import { actionOf } from "./support/action.ts";
import { isInImage } from "./support/in-image.ts";

/** What may stand between the two: it changes no file. */
const between: ReadonlySet<string> = new Set(["ARG", "ENV", "LABEL", "USER", "EXPOSE", "CMD", "ENTRYPOINT"]);

/** Of all that the COPY directly above put somewhere, or of a file that it copied. */
export const chownAfterCopy: StepRule<"RUN"> = {
  kind: "step",
  on: ["RUN"],
  name: "tsbuild/ChownAfterCopy",
  description: "Files should be copied with the owner and the mode that they are to have",
  examples: () => ({
    bad: "FROM debian:12\nCOPY app /app\nRUN chown -R www-data:www-data /app",
    line: 3,
    message: "chown makes a second copy of what the COPY in line 2 has put into the image",
    good: "FROM debian:12\nCOPY --chown=www-data:www-data app /app",
  }),
  check: (step) => {
    const { instruction, steps, index, state, expand } = step;
    const copy = copyBefore(steps, index);
    if (copy === undefined || !isInImage(step)) return [];
    const { WorkingDir: directory = "/" } = state.config;
    const places = placesOf(copy, (raw) => posix.resolve("/", directory, expand(raw) ?? raw));
    return runCommands(step).flatMap((command) => {
      const value = changeOf(command, places, directory);
      if (value === undefined) return [];
      const { name } = command;
      const line = copy.location.start.line;
      const message = `${name} makes a second copy of what the ${copy.kind} in line ${line} has put into the image`;
      const directories = isRecursive(command) ? `; ${name} without -R is enough for a directory that was there` : "";
      const hint = `write ${copy.kind} --${name}=${value}${directories}`;
      return [{ message, location: instruction.location, at: command.locate(), hint }];
    });
  },
};

function copyBefore(steps: readonly Instruction[], index: number): CopyInstruction | undefined {
  const before = steps.slice(Math.max(0, index - 8), index).findLast(({ kind }) => !between.has(kind));
  return before?.kind === "COPY" || before?.kind === "ADD" ? before : undefined;
}

interface Places {
  /** Where all that was copied is. */
  readonly all: string;
  readonly files: ReadonlySet<string>;
}

/** A name with an ending is taken for that of a file. */
function placesOf({ sources, dest }: CopyInstruction, resolve: (raw: string) => string): Places {
  const all = resolve(dest.raw);
  const names = sources.map(({ raw }) => posix.basename(raw)).filter((name) => /.\.\w+$/.test(name));
  const files = names.flatMap((name) => [
    `${all === "/" ? "" : all}/${name}`,
    ...(posix.basename(all) === name ? [all] : []),
  ]);
  return { all, files: new Set(files) };
}

/** The owner or mode that a command gives to nothing but what was copied. */
function changeOf(command: RunCommand, { all, files }: Places, directory: string): string | undefined {
  const { name } = command;
  if (name !== "chown" && name !== "chmod") return undefined;
  const { name: value, operands } = actionOf(command);
  const whole = isRecursive(command) && all !== "/" ? [all] : [];
  const known = (operand: string): boolean => {
    const path = posix.resolve("/", directory, operand);
    return !/[$`*?]/.test(operand) && (whole.includes(path) || files.has(path));
  };
  return operands.length > 0 && operands.every(known) && !/[$`\s]/.test(value) ? value : undefined;
}

function isRecursive({ args }: RunCommand): boolean {
  return args.some((arg) => /^-\w*R|^--recursive$/.test(arg));
}
