import type { CopyInstruction } from "../../dockerfile/ast.ts";
import { parseFileMode, type FileMode } from "../../base/patterns/file-mode.ts";
import type { SourceLocation } from "../../base/location.ts";
import { PathPatterns } from "../../base/patterns/path-patterns.ts";
import { atPlace, expandIn, failAt, refuse, type DispatchInput } from "./context.ts";

type Input = DispatchInput<CopyInstruction>;

const known: ReadonlySet<string> = new Set([
  "from",
  "chown",
  "chmod",
  "exclude",
  "link",
  "parents",
  "unpack",
  "checksum",
  "keep-git-dir",
]);

/** @throws E_UNSUPPORTED for a flag that has no meaning here */
export function checkFlags({ instruction, context }: Input): void {
  const flag = instruction.flags.find(({ name, value }) => !known.has(name) && value !== "false");
  if (flag !== undefined) throw refuse(context, flag.location, `${instruction.kind} --${flag.name}`);
}

/** Empty after expansion is as if it were not there. @throws E_LINK_OWNER */
export function chownOf(input: Input): string | undefined {
  const { instruction } = input;
  const text = flagText(input, "chown", instruction.chown);
  if (text === undefined) return undefined;
  const name = text.split(/:(.*)/s).find((part) => part !== "" && part !== "root" && !/^\d{1,10}$/.test(part));
  if (!instruction.link || name === undefined) return text;
  throw failAt(input.context, flagLocation(input, "chown"), {
    code: "E_LINK_OWNER",
    message: `Cannot use --chown=${text} with --link: ${JSON.stringify(name)} is a name, and a linked layer knows no /etc/passwd`,
    hint: "give numbers: --chown=1000:1000",
  });
}

/** Empty after expansion is as if it were not there. */
export function chmodOf(input: Input): { readonly text: string; readonly mode: FileMode } | undefined {
  const text = flagText(input, "chmod", input.instruction.chmod);
  if (text === undefined) return undefined;
  return { text, mode: atPlace(input, flagLocation(input, "chmod"), () => parseFileMode(text)) };
}

/** The value with its variables; undefined when it is not given or empty. */
export function flagText(input: Input, name: string, value: string | undefined): string | undefined {
  const text = value === undefined ? "" : expandIn(input, value, flagLocation(input, name));
  return text === "" ? undefined : text;
}

/** The patterns of --exclude with their variables; a backslash stays, as it belongs to the pattern. */
export function excludeOf(input: Input): readonly string[] {
  const flags = input.instruction.flags.filter(({ name }) => name === "exclude");
  return flags.map(({ value, location }) => {
    const pattern = value.includes("$") ? expandIn(input, value, location) : value;
    atPlace(input, location, () => new PathPatterns([pattern]));
    return pattern;
  });
}

/** Where the flag stands; all of the instruction when it is not there. */
export function flagLocation({ instruction }: Input, name: string): SourceLocation {
  return instruction.flags.find((flag) => flag.name === name)?.location ?? instruction.location;
}
