import { execFileSync } from "node:child_process";
import { cpSync, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { FlatImage } from "../peers/compare.ts";

const cases = join(import.meta.dirname, "../corpus/cases");

/** Cases of the corpus whose trees were recorded from BuildKit. They stand on busybox:1 alone. */
export const treeCases: readonly string[] = [
  "add-kinds",
  "copy-places",
  "heredocs",
  "link-kinds",
  "mount-kinds",
  "mount-places",
  "run-users",
];

/** Facts of each path that the base does not have in the same way. */
export type Tree = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Makes the case's context in an empty directory. Its secrets by name. */
export function prepareTreeCase(name: string, context: string): Readonly<Record<string, string>> {
  cpSync(join(cases, name), context, { recursive: true, verbatimSymlinks: true });
  if (existsSync(join(context, "setup.sh"))) execFileSync("sh", ["-e", "setup.sh"], { cwd: context });
  const file = join(context, "case.json");
  const { secrets = {} } = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
  for (const own of ["setup.sh", "case.json"]) rmSync(join(context, own), { force: true });
  return secrets;
}

/** What an image has beside its base. Mount points that are left behind, and directories on the way to them, are not. */
export function treeOver({ nodes }: FlatImage, base: FlatImage): Tree {
  const left = new Set(["dev", "proc", "sys", "etc", "etc/resolv.conf", "etc/hosts", "run"]);
  const own = [...nodes].filter(
    ([path, { facts }]) => !left.has(path) && JSON.stringify(base.nodes.get(path)?.facts) !== JSON.stringify(facts),
  );
  return Object.fromEntries(own.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([path, { facts }]) => [path, facts]));
}
