import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { BuildOptions } from "../../builder/index.ts";
import { TsbuildError } from "../../native/errors.ts";
import { listTree } from "./list-tree.ts";
import type { Outcome, Project } from "./project.ts";

/** A path next to the project's context and store. */
export const beside = (project: Project, name: string): string => join(project.store, "..", name);

/** Builds into the directory `out`; its files as `path: text`, but for busybox. */
export async function buildFrom(
  project: Project,
  options: Partial<BuildOptions>,
): Promise<{ readonly outcome: Outcome; readonly files: readonly string[] }> {
  const dest = beside(project, "out");
  rmSync(dest, { recursive: true, force: true });
  const outcome = await project.build({ outputs: [{ type: "local", dest }], ...options });
  const paths = existsSync(dest) ? listTree(dest).map((line) => line.split(" ").at(-1) ?? "") : [];
  return {
    outcome,
    files: paths
      .filter((path) => !path.endsWith("/") && !path.startsWith("busybox"))
      .map((path) => `${path}: ${readFileSync(join(dest, path), "utf8")}`),
  };
}

export const codeOf = ({ error }: Outcome): string => (error instanceof TsbuildError ? error.code : String(error));

export const cachedAll = ({ result }: Outcome): boolean =>
  result !== undefined && result.steps.cached === result.steps.total;

/** Why steps were not found. */
export const missReasons = ({ events }: Outcome): readonly string[] =>
  events.flatMap((event) => (event.kind === "miss" ? event.reasons : []));
