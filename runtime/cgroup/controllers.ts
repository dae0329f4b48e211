import { readFileSync } from "node:fs";
import { join, posix } from "node:path";

/** Where this process's own groups are, for each controller. */
export interface Controllers {
  /** "v2": everything on the unified hierarchy; "v1": at least one controller on its own; "none": nothing mounted. */
  readonly kind: "v1" | "v2" | "none";
  /** Controller -> directory of this process's group on the hierarchy that has it; on v2 the top when only that has. */
  readonly directories: ReadonlyMap<string, string>;
  /** The hierarchies of v1 as far as they are mounted here: controller (or `name=...`) -> top. */
  readonly tops: ReadonlyMap<string, string>;
  /** The v2 hierarchy, also where it is mounted beside v1 with no controller (hybrid). */
  readonly unified: UnifiedHierarchy | undefined;
}

/** The v2 hierarchy: its top as far as it is mounted here, and this process's own group. */
export interface UnifiedHierarchy {
  readonly top: string;
  readonly own: string;
}

let known: Controllers | undefined;

/** Reads the mounted hierarchies once. Controllers may sit on v1 while v2 is mounted with none (hybrid). */
export function findControllers(): Controllers {
  known ??= parseControllers(readText("/proc/self/mountinfo"), readText("/proc/self/cgroup"), (directory) =>
    readText(join(directory, "cgroup.controllers")),
  );
  return known;
}

/** Pure part of findControllers(). `available` gives the text of a v2 group's cgroup.controllers. */
export function parseControllers(
  mountinfo: string,
  own: string,
  available: (directory: string) => string,
): Controllers {
  const paths = new Map(own.split("\n").flatMap((line) => ownPaths(line)));
  const directories = new Map<string, string>();
  const tops = new Map<string, string>();
  let unified: UnifiedHierarchy | undefined;
  for (const { type, root, target, options } of mounts(mountinfo)) {
    const inside = (path: string): string => join(target, below(root, path));
    if (type === "cgroup2") unified ??= { top: target, own: inside(paths.get("") ?? "/") };
    if (type !== "cgroup") continue;
    for (const name of options) {
      const path = paths.get(name);
      if (path === undefined || name === "") continue;
      directories.set(name, inside(path));
      tops.set(name, target);
    }
  }
  const v1 = directories.size > 0;
  if (unified !== undefined) {
    for (const group of [unified.own, unified.top]) {
      for (const name of available(group).trim().split(/\s+/)) {
        if (name !== "" && !directories.has(name)) directories.set(name, group);
      }
    }
  }
  return { kind: v1 ? "v1" : unified === undefined ? "none" : "v2", directories, tops, unified };
}

/** A group's path below the part of the hierarchy that is mounted: a container sees only its own part. */
function below(root: string, path: string): string {
  const relative = posix.relative(root, path);
  return relative.startsWith("..") ? "" : relative;
}

function ownPaths(line: string): readonly (readonly [string, string])[] {
  const match = /^\d+:([^:]*):(.*)$/.exec(line);
  const path = match?.[2];
  return path === undefined ? [] : (match?.[1] ?? "").split(",").map((name) => [name, path] as const);
}

interface HierarchyMount {
  readonly type: string;
  /** The directory of the hierarchy that is mounted. */
  readonly root: string;
  readonly target: string;
  readonly options: readonly string[];
}

function mounts(text: string): readonly HierarchyMount[] {
  return text.split("\n").flatMap((line) => {
    const [before = "", after = ""] = line.split(" - ", 2);
    const [, , , root, target] = before.split(" ");
    const [type, , options] = after.split(" ");
    if (root === undefined || target === undefined || type === undefined) return [];
    return [{ type, root: unescape(root), target: unescape(target), options: (options ?? "").split(",") }];
  });
}

/** Blanks and backslashes in paths are written as octal numbers. @see proc_pid_mountinfo(5) */
function unescape(path: string): string {
  return path.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
