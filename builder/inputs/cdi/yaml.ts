import { maxDepth, parseInline, YamlError, type YamlValue } from "./yaml-inline.ts";

interface Line {
  readonly number: number;
  readonly indent: number;
  readonly text: string;
}

/**
 * Reads the YAML that programs write for the Container Device Interface: mappings and sequences by indentation or in one
 * line, plain and quoted text, comments. All else (anchors, tags, text over several lines, several documents) is an error
 * that names it. @throws YamlError
 */
export function parseYaml(text: string): YamlValue {
  const lines = text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .flatMap(toLine);
  const first = lines[0]?.text === "---" ? 1 : 0;
  const reader = new BlockReader(lines.slice(first));
  return reader.document();
}

function toLine(raw: string, at: number): readonly Line[] {
  const text = withoutComment(raw).trimEnd();
  const indent = text.search(/[^ ]/);
  if (indent < 0) return [];
  if (text[indent] === "\t") throw new YamlError(at + 1, "a tab cannot indent");
  return [{ number: at + 1, indent, text: text.slice(indent) }];
}

/** A `#` begins one at the start or after a blank, outside of quotes. */
function withoutComment(line: string): string {
  let quote = "";
  for (let at = 0; at < line.length; at++) {
    const char = line[at] ?? "";
    const escape = quote === '"' ? char === "\\" : quote === "'" && char === "'" && line[at + 1] === "'";
    if (escape) at++;
    else if (quote !== "") quote = char === quote ? "" : quote;
    else if ((char === '"' || char === "'") && /^[\s\-:,[{]*$/.test(line.slice(Math.max(0, at - 1), at))) quote = char;
    else if (char === "#" && (at === 0 || /\s/.test(line[at - 1] ?? ""))) return line.slice(0, at);
  }
  return line;
}

class BlockReader {
  /** What follows the dash of a sequence's entry takes the place of its line. */
  readonly #lines: Line[];
  #at = 0;

  constructor(lines: readonly Line[]) {
    this.#lines = [...lines];
  }

  document(): YamlValue {
    const [first] = this.#lines;
    if (first === undefined) return null;
    const value = this.#block(first.indent, 0);
    const rest = this.#lines[this.#at];
    if (rest !== undefined)
      throw new YamlError(rest.number, `${JSON.stringify(rest.text.slice(0, 20))} is not expected here`);
    return value;
  }

  /** The lines at this indentation. */
  #block(indent: number, depth: number): YamlValue {
    const line = this.#lines[this.#at];
    if (line === undefined) return null;
    if (depth > maxDepth) throw new YamlError(line.number, "collections are nested too deep");
    if (isEntry(line.text)) return this.#sequence(indent, depth);
    if (keyOf(line) !== undefined) return this.#mapping(indent, depth);
    this.#at++;
    return parseInline(line.text, line.number);
  }

  #sequence(indent: number, depth: number): readonly YamlValue[] {
    const items: YamlValue[] = [];
    for (
      let line = this.#lines[this.#at];
      line?.indent === indent && isEntry(line.text);
      line = this.#lines[this.#at]
    ) {
      const rest = line.text.slice(1);
      const inner = rest.search(/[^ ]/);
      if (inner < 0) {
        this.#at++;
        items.push(this.#below(indent, depth));
        continue;
      }
      // A block of its own, indented to where it stands.
      const column = indent + 1 + inner;
      this.#lines[this.#at] = { ...line, indent: column, text: rest.slice(inner) };
      items.push(this.#block(column, depth + 1));
    }
    return items;
  }

  #mapping(indent: number, depth: number): YamlValue {
    const entries = new Map<string, YamlValue>();
    for (let line = this.#lines[this.#at]; line?.indent === indent; line = this.#lines[this.#at]) {
      const found = keyOf(line);
      if (found === undefined) throw new YamlError(line.number, "it has no `key: value`");
      if (entries.has(found.key))
        throw new YamlError(line.number, `the key ${JSON.stringify(found.key)} is there twice`);
      this.#at++;
      const value = found.rest === "" ? this.#below(indent, depth, true) : parseInline(found.rest, line.number);
      entries.set(found.key, value);
    }
    return Object.fromEntries(entries);
  }

  /** The value on the lines that follow; a sequence may stand as far left as the key that it belongs to. */
  #below(indent: number, depth: number, ofKey: boolean = false): YamlValue {
    const next = this.#lines[this.#at];
    if (next === undefined) return null;
    const deeper = next.indent > indent || (ofKey && next.indent === indent && isEntry(next.text));
    return deeper ? this.#block(next.indent, depth + 1) : null;
  }
}

function isEntry(text: string): boolean {
  return text === "-" || text.startsWith("- ");
}

function keyOf({ text, number }: Line): { readonly key: string; readonly rest: string } | undefined {
  const quoted = /^(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')/.exec(text)?.[0];
  const end = quoted === undefined ? text.search(/:(?: |$)/) : quoted.length;
  if (end < 0 || text[end] !== ":" || /^[[{]/.test(text)) return undefined;
  const key = parseInline(text.slice(0, end), number);
  return { key: String(key), rest: text.slice(end + 1).trimStart() };
}
