import { existsSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Instruction } from "../../dockerfile/ast.ts";
import { parseDockerfile } from "../../dockerfile/parse.ts";

const largest = 1 << 20;

/** Names of stages, and of ARGs, of the Dockerfile of a context; as many as can be read of one that is being written. */
export function dockerfileNames(
  file: string | undefined,
  context: string,
  cwd: string,
): { readonly stages: readonly string[]; readonly arguments: readonly string[] } {
  const path = file === undefined ? defaultFile(resolve(cwd, context)) : resolve(cwd, file);
  const instructions = path === undefined ? [] : readInstructions(path);
  const stages = instructions.flatMap((one) => (one.kind === "FROM" && one.name !== undefined ? [one.name] : []));
  const names = instructions.flatMap((one) => (one.kind === "ARG" ? one.args.map(({ key }) => key) : []));
  return { stages: typable(stages), arguments: typable(names) };
}

/** A shell puts a name on the user's line as it is: one that it would read as a command of its own is left out. */
function typable(names: readonly string[]): readonly string[] {
  return [...new Set(names)].filter((name) => /^[\w.-]+$/.test(name));
}

function defaultFile(context: string): string | undefined {
  return ["Dockerfile", "Containerfile"].map((name) => join(context, name)).find((path) => existsSync(path));
}

function readInstructions(path: string): readonly Instruction[] {
  const found: Instruction[] = [];
  try {
    const stat = statSync(path);
    if (!stat.isFile() || stat.size > largest) return [];
    const observer = { directives: () => undefined, instruction: (one: Instruction) => found.push(one) };
    parseDockerfile(readFileSync(path), path, { observer });
  } catch {
    // What could be read up to there.
  }
  return found;
}
