import type { DockerfileAst } from "../../dockerfile/ast.ts";
import { expandWord } from "../../dockerfile/expand.ts";
import { description } from "./description.ts";
import type { OutlineArg } from "./parameters.ts";

/** An ARG before the first FROM. `madeOf`: the ARGs in its default. */
export interface GlobalParameter {
  readonly arg: OutlineArg;
  readonly madeOf: readonly string[];
}

export type GlobalParameters = ReadonlyMap<string, GlobalParameter>;

/** The ARGs before the first FROM, evaluated in order; those that were read once cannot fail here. */
export function globalParameters(
  ast: DockerfileAst,
  predefined: ReadonlyMap<string, string>,
  buildArgs: ReadonlyMap<string, string>,
): GlobalParameters {
  const values = new Map(predefined);
  const found = new Map<string, GlobalParameter>();
  for (const { args, comments, location } of ast.globalArgs) {
    for (const { key, value: raw } of args) {
      const given = buildArgs.get(key);
      const expanded =
        given !== undefined || raw === undefined ? undefined : expandWord(raw, values, { escape: ast.escape });
      const value = given ?? expanded?.text;
      if (value !== undefined) values.set(key, value);
      // An ARG that adds to itself is made of what it was made of before.
      const own = expanded?.matched ?? [];
      const before = own.includes(key) ? (found.get(key)?.madeOf ?? []) : [];
      const madeOf = [...new Set([...own.filter((name) => name !== key), ...before])];
      const arg = { name: key, value: value ?? "", description: description(comments, key), location };
      found.set(key, { arg, madeOf });
    }
  }
  return found;
}
