import { createRequire } from "node:module";
import type { Document, ScalarTag, Tags } from "yaml";

/** Why a text cannot be read, and on which line. */
export class YamlError extends Error {
  override readonly name: string = "YamlError";

  constructor(line: number, why: string) {
    super(`line ${line}: ${why}`);
  }
}

const load = createRequire(import.meta.url);

/** Modes of files are written as in C (`0666`), which YAML 1.1 has and YAML 1.2 reads as a decimal number. */
const octal: ScalarTag = {
  tag: "tag:yaml.org,2002:int",
  default: true,
  test: /^0[0-7]+$/,
  resolve: (text: string) => Number.parseInt(text, 8),
};

/** Uses of one anchor: a few lines with aliases could stand for gigabytes. */
const maxAliases = 100;

/**
 * What one document of YAML 1.2 holds; octal numbers also as in YAML 1.1. The library is loaded with the first text: most
 * machines have JSON, or no devices. @throws YamlError
 */
export function parseYaml(text: string): unknown {
  const yaml: typeof import("yaml") = load("yaml");
  const lineCounter = new yaml.LineCounter();
  const customTags = (tags: Tags): Tags => [octal, ...tags];
  try {
    // Its own look for keys that are there twice compares each with each.
    const options = { customTags, lineCounter, logLevel: "silent", uniqueKeys: false } as const;
    const documents = yaml.parseAllDocuments(text, options);
    const [document, second] = Array.isArray(documents) ? documents : [];
    if (document === undefined) return null;
    if (second !== undefined)
      throw new YamlError(lineCounter.linePos(second.range[0]).line, "another document begins; one is read");
    const [error] = document.errors;
    if (error !== undefined) throw new YamlError(lineCounter.linePos(error.pos[0]).line, reason(error.message));
    requireUniqueKeys(yaml, document, lineCounter);
    return document.toJS({ maxAliasCount: maxAliases });
  } catch (error) {
    if (error instanceof YamlError) throw error;
    throw new YamlError(1, error instanceof Error ? reason(error.message) : String(error));
  }
}

function requireUniqueKeys(
  { isScalar, visit }: typeof import("yaml"),
  document: Document.Parsed,
  lineCounter: import("yaml").LineCounter,
): void {
  visit(document, {
    Map: (_at, { items }) => {
      const keys = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (keys.has(key.value))
          throw new YamlError(
            lineCounter.linePos(key.range?.[0] ?? 0).line,
            `the key ${String(key.value)} is there twice`,
          );
        keys.add(key.value);
      }
    },
  });
}

/** The library shows the place below its words; it goes down into collections by calls. */
function reason(message: string): string {
  if (/call stack/.test(message)) return "collections are nested too deep";
  const [first = ""] = message.split(/ at line \d+|\n/, 1);
  return first.trim();
}
