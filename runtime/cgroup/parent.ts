import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { TsbuildError } from "../../native/errors.ts";
import type { Controllers } from "./controllers.ts";
import { inheritCpuset } from "./cpuset.ts";
import { removeAtExit } from "./process-group.ts";

/** Where the groups of a container are made. */
export interface GroupPlace {
  /** Candidates on the v2 hierarchy; the first that can hand on what is needed is taken. */
  readonly unified: readonly string[];
  /** v1: controller -> directory. */
  readonly directories: ReadonlyMap<string, string>;
}

/** Below this process's own groups. */
export function ownPlace({ unified, directories }: Controllers): GroupPlace {
  return { unified: unified === undefined ? [] : [unified.own, unified.top], directories };
}

/** `--cgroup-parent`: components of a path below the top of every hierarchy. @throws E_CGROUP_PARENT */
export function parseCgroupParent(text: string): readonly string[] {
  if (text.includes(":") || (!text.startsWith("/") && text.endsWith(".slice")))
    throw parentError(text, "that is a slice of systemd's", "give the path of a group: /parent");
  const names = text.split("/").filter((name) => name !== "" && name !== ".");
  const bad = names.length === 0 || names.some((name) => name === ".." || !/^[^\0-\x1f\x7f]{1,255}$/.test(name));
  if (bad || text.length > 1024) throw parentError(text, "it is no path of a group", "give one such as /parent");
  return names;
}

/**
 * The groups of that path in every hierarchy, made where they are missing; what was made is removed when this process
 * ends, if nobody else uses it then. @throws E_CGROUP_PARENT
 */
export function parentPlace(controllers: Controllers, parent: string): GroupPlace {
  const names = parseCgroupParent(parent);
  const { unified, tops } = controllers;
  if (unified === undefined && tops.size === 0)
    throw parentError(parent, "this machine has no control groups", "leave it out");
  try {
    const directories = new Map([...tops].map(([name, top]) => [name, makeBelow(top, names, name === "cpuset")]));
    return { unified: unified === undefined ? [] : [makeBelow(unified.top, names, false)], directories };
  } catch (cause) {
    throw parentError(parent, "it cannot be made here", "check that the control groups may be written to", cause);
  }
}

function makeBelow(top: string, names: readonly string[], isCpuset: boolean): string {
  let at = top;
  for (const name of names) {
    const above = at;
    at = join(at, name);
    if (makeGroup(at)) removeAtExit(at);
    if (isCpuset) inheritCpuset(above, at);
  }
  return at;
}

/** False where it was there. */
function makeGroup(path: string): boolean {
  try {
    mkdirSync(path);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

function parentError(parent: string, state: string, hint: string, cause?: unknown): TsbuildError {
  return new TsbuildError(`Cannot use the parent group ${JSON.stringify(parent)}: ${state}`, {
    code: "E_CGROUP_PARENT",
    hint,
    ...(cause === undefined ? {} : { cause }),
  });
}
