import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path/posix";

/** One file of the project uses another; types and what is loaded later count as well. Paths are the project's. */
export interface Import {
  readonly from: string;
  readonly to: string;
}

/** Every way in which a file of the project names another: import and export, `import()`, and the type `import()`. */
const named = /(?:\bfrom\s+|\bimport\s*\(\s*|^import\s+)"(\.{1,2}\/[^"]+)"/gm;

/** The files of some directories of the project, and what they import of each other. */
export function readImports(top: string, directories: readonly string[]): { files: string[]; imports: Import[] } {
  const files = directories.flatMap((directory) =>
    readdirSync(join(top, directory), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.[jt]s$/.test(name) && !name.endsWith(".d.ts"))
      .map((name) => join(directory, name)),
  );
  const known = new Set(files);
  const imports = files.flatMap((from) =>
    [...readFileSync(join(top, from), "utf8").matchAll(named)]
      .map(([, path = ""]) => ({ from, to: normalize(join(dirname(from), path)) }))
      .filter(({ to }) => known.has(to)),
  );
  return { files, imports };
}

/** Files of a directory stand for themselves, what is deeper for its folder: undefined for what is elsewhere. */
export function roomOf(directory: string, file: string): string | undefined {
  const below = relative(directory, file);
  return below.startsWith("..") ? undefined : below.split("/")[0];
}

/** The imports between the rooms of a directory. */
export function between(directory: string, imports: readonly Import[]): readonly Import[] {
  return imports.flatMap((one) => {
    const [from, to] = [roomOf(directory, one.from), roomOf(directory, one.to)];
    return from === undefined || to === undefined || from === to ? [] : [{ from, to }];
  });
}

/** Every set of nodes that reach each other, each sorted. */
export function circles(imports: readonly Import[]): readonly (readonly string[])[] {
  const next = new Map<string, Set<string>>();
  for (const { from, to } of imports) next.set(from, (next.get(from) ?? new Set()).add(to));
  const reach = new Map([...next.keys()].map((node) => [node, reachable(node, next)]));
  const knots = [...next.keys()].map((node) =>
    [...(reach.get(node) ?? [])].filter((other) => reach.get(other)?.has(node) === true).toSorted(),
  );
  return [...new Map(knots.filter((knot) => knot.length > 0).map((knot) => [knot.join(), knot])).values()];
}

function reachable(node: string, next: ReadonlyMap<string, ReadonlySet<string>>): ReadonlySet<string> {
  const found = new Set<string>();
  const open = [...(next.get(node) ?? [])];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (found.has(at)) continue;
    found.add(at);
    open.push(...(next.get(at) ?? []));
  }
  return found;
}
