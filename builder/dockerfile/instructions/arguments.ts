import type { CommandLine, KeyValue, Word } from "../ast.ts";
import { cutAtSpaces, cutWords, parseJsonForm, trimSpace, type CutWord } from "../words.ts";
import { argRange, syntaxError, type InstructionSource } from "./source.ts";

/** Exec form when the arguments are a JSON array of strings, else the shell's text. */
export function commandLine(source: InstructionSource): CommandLine {
  const json = parseJsonForm(source.args);
  return json === undefined ? { form: "shell", text: source.args } : { form: "exec", args: json };
}

/** As commandLine(), of something that is run. @throws E_DOCKERFILE_SYNTAX for an empty array */
export function runLine(source: InstructionSource): CommandLine {
  const command = commandLine(source);
  if (command.form === "shell" || command.args.length > 0) return command;
  throw syntaxError(source, `Cannot read ${source.name}: its command is empty`);
}

/** Words at white space, or the strings of a JSON array. */
export function wordList(source: InstructionSource): readonly Word[] {
  const json = parseJsonForm(source.args);
  if (json === undefined) return plainWords(source);
  const whole = argRange(source, 0, source.args.length);
  return json.map((raw) => ({ raw, location: whole }));
}

/** Words at white space. @throws E_DOCKERFILE_SYNTAX when there are none */
export function ports(source: InstructionSource): readonly Word[] {
  requireArgs(source);
  return plainWords(source);
}

/** Paths, trimmed. @throws E_DOCKERFILE_SYNTAX when there are none, or one is empty */
export function volumes(source: InstructionSource): readonly Word[] {
  const words = wordList(source).map(({ raw, location }) => ({ raw: trimSpace(raw), location }));
  if (words.length === 0) requireArgs({ ...source, args: "" });
  const empty = words.find(({ raw }) => raw === "");
  if (empty === undefined) return words;
  throw syntaxError(source, "Cannot read VOLUME: a path is empty", { at: empty.location });
}

/** All arguments as one word. @throws E_DOCKERFILE_SYNTAX when there are none */
export function singleWord(source: InstructionSource): Word {
  requireArgs(source);
  return { raw: source.args, location: argRange(source, 0, source.args.length) };
}

/** @throws E_DOCKERFILE_SYNTAX when there are no arguments */
export function requireArgs(source: InstructionSource): void {
  if (source.args === "") throw syntaxError(source, `Cannot read ${source.name}: it needs at least one argument`);
}

type Pair = { readonly key: string; readonly value: string; readonly location: KeyValue["location"] };

/** `k=v k2=v2`, or the old form `k v`. @throws E_DOCKERFILE_SYNTAX */
export function pairs(source: InstructionSource): { readonly pairs: readonly Pair[]; readonly legacy: boolean } {
  requireArgs(source);
  const words = cutWords(source.args, source.escape);
  const [first] = words;
  if (first !== undefined && !first.raw.includes("=")) return { pairs: [legacyPair(source)], legacy: true };
  return { pairs: words.map((word) => keyValue(source, word)), legacy: false };
}

function legacyPair(source: InstructionSource): Pair {
  const match = /^([^\t\v\f\r ]+)[\t\v\f\r ]+([\s\S]+)$/.exec(source.args);
  if (match?.[1] === undefined || match[2] === undefined) {
    throw syntaxError(source, `Cannot read ${source.name}: ${source.args} has no value`, {
      hint: `write ${source.name} ${source.args}=value`,
    });
  }
  return { key: match[1], value: match[2], location: argRange(source, 0, source.args.length) };
}

function keyValue(source: InstructionSource, word: CutWord): Pair {
  const at = word.raw.indexOf("=");
  const location = argRange(source, word.start, word.end);
  if (at < 0) {
    throw syntaxError(source, `Cannot read ${source.name}: ${JSON.stringify(word.raw)} has no =`, {
      at: location,
      hint: "write name=value; quote values that hold spaces",
    });
  }
  if (at === 0) throw syntaxError(source, `Cannot read ${source.name}: a name is empty`, { at: location });
  return { key: word.raw.slice(0, at), value: word.raw.slice(at + 1), location };
}

/** `NAME` or `NAME=default`, several. @throws E_DOCKERFILE_SYNTAX */
export function argPairs(source: InstructionSource): readonly KeyValue[] {
  requireArgs(source);
  return cutWords(source.args, source.escape).map((word) => {
    const location = argRange(source, word.start, word.end);
    if (!word.raw.includes("=")) return { key: word.raw, value: undefined, location };
    return keyValue(source, word);
  });
}

function plainWords(source: InstructionSource): readonly Word[] {
  return cutAtSpaces(source.args).map(({ raw, start, end }) => ({ raw, location: argRange(source, start, end) }));
}
