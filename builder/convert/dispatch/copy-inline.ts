import { errorMessage } from "../../../native/errors.ts";
import type { CopyInstruction, Heredoc } from "../../dockerfile/ast.ts";
import { expandBody } from "../../dockerfile/heredoc.ts";
import { envMap } from "../../base/env.ts";
import type { InlineFile } from "../../graph/opspec.ts";
import { failAt, reportUnset, type DispatchInput } from "./context.ts";

type Input = DispatchInput<CopyInstruction>;

/** The heredocs with their variables. @throws E_EXPAND */
export function inlineFiles(input: Input): readonly InlineFile[] {
  return input.instruction.heredocs.map(({ name, content, expand, location }) => {
    if (!expand) return { name, content };
    const { text, unmatched } = expandHeredoc(input, { name, content, location });
    reportUnset(input, unmatched);
    return { name, content: text };
  });
}

function expandHeredoc(
  { state, context }: Input,
  { name, content, location }: Pick<Heredoc, "name" | "content" | "location">,
): ReturnType<typeof expandBody> {
  try {
    return expandBody(content, envMap(state.env));
  } catch (error) {
    throw failAt(context, location, {
      code: "E_EXPAND",
      message: `Cannot expand the heredoc <<${name}: ${errorMessage(error)}`,
      hint: `write \\$ for a dollar sign, or quote the word: <<'${name}'`,
    });
  }
}
