import type { Instruction } from "./ast.ts";
import type { SourceLocation } from "../base/location.ts";

const places: ReadonlySet<string> = new Set(["location", "lines", "keyword"]);

/** The instruction as if all of it stood at one place: its own text is in no file. */
export function relocate(instruction: Instruction, location: SourceLocation): Instruction {
  const move = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(move);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key, places.has(key) ? location : move(inner)]),
    );
  };
  return move(instruction) as Instruction;
}
