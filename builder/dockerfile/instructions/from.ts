import type { FromInstruction, Word } from "../ast.ts";
import { cutAtSpaces, type CutWord } from "../words.ts";
import { flagValue } from "./flag-table.ts";
import { argRange, commonFields, syntaxError, type InstructionSource } from "./source.ts";

const stageName = /^[a-z][a-z0-9-_.]*$/;

/** FROM image [AS name]. @throws E_DOCKERFILE_SYNTAX */
export function parseFrom(source: InstructionSource): FromInstruction {
  const words = cutAtSpaces(source.args);
  const [image, as, name] = words;
  if (image === undefined || (words.length !== 1 && words.length !== 3)) {
    throw syntaxError(source, "Cannot read FROM: it takes an image, or an image, AS and a name", {
      hint: "write FROM image or FROM image AS name",
    });
  }
  if (as !== undefined && as.raw.toLowerCase() !== "as") {
    throw syntaxError(source, `Cannot read FROM: ${JSON.stringify(as.raw)} stands where AS must be`, {
      at: argRange(source, as.start, as.end),
    });
  }
  const lower = name?.raw.toLowerCase();
  if (name !== undefined && lower !== undefined && !stageName.test(lower)) {
    throw syntaxError(
      source,
      `Cannot name a stage ${JSON.stringify(name.raw)}: names are letters, digits, - _ . and begin with a letter`,
      {
        code: "E_STAGE_NAME",
        at: argRange(source, name.start, name.end),
      },
    );
  }
  const word = ({ raw, start, end }: CutWord): Word => ({ raw, location: argRange(source, start, end) });
  return {
    kind: "FROM",
    ...commonFields(source),
    image: word(image),
    name: lower,
    alias: as === undefined || name === undefined ? undefined : { keyword: word(as), name: word(name) },
    platform: flagValue(source, "platform"),
  };
}
