import type { CommandLine, RunInstruction } from "../../dockerfile/ast.ts";
import { isFileName, readHeredoc } from "../../dockerfile/heredoc.ts";
import type { InlineFile } from "../../graph/opspec.ts";
import { failAt, type DispatchContext } from "./context.ts";

/** What a RUN with heredocs runs. */
export interface RunCommand {
  readonly command: CommandLine;
  /** A file that the command needs. */
  readonly script?: InlineFile;
  /** What progress shows beside the instruction's line. */
  readonly summary: string;
}

/**
 * A heredoc alone is the shell's script, or with `#!` a program that the shell starts. Beside a command the text is put
 * together again, bodies and all, for the shell to read. Variables are the shell's: nothing is expanded here.
 * @throws E_HEREDOC
 */
export function runCommand(instruction: RunInstruction, context: DispatchContext): RunCommand {
  const { command, heredocs } = instruction;
  const [first] = heredocs;
  if (first === undefined || command.form === "exec") return { command, summary: "" };
  if (readHeredoc(command.text) === undefined) {
    const bodies = heredocs.map(({ body, name }) => `\n${body}${name}`);
    return { command: { form: "shell", text: command.text + bodies.join("") }, summary: "" };
  }
  const { name, content } = first;
  const summary = ` (${summarize(first.body)})`;
  if (!content.startsWith("#!")) return { command: { form: "shell", text: content }, summary };
  if (!isFileName(name)) {
    throw failAt(context, first.location, {
      code: "E_HEREDOC",
      message: `Cannot run the script of <<${name}: ${JSON.stringify(name)} cannot be the name of a file`,
      hint: "write <<NAME",
    });
  }
  return { command: { form: "shell", text: `/dev/pipes/${name}` }, script: { name, content }, summary };
}

/** The first line, and whether there are more. */
function summarize(body: string): string {
  const [first = "", ...more] = body.trim().split("\n");
  return first.trimEnd() + (more.length > 0 ? "..." : "");
}
