import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Where this process's own groups are, for each controller. */
export interface Controllers {
  /** "v2": everything on the unified hierarchy; "v1": at least one controller on its own; "none": nothing mounted. */
  readonly kind: "v1" | "v2" | "none";
  /** Controller -> directory of this process's group on the hierarchy that has it. */
  readonly directories: ReadonlyMap<string, string>;
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
  let unified: string | undefined;
  for (const { type, target, options } of mounts(mountinfo)) {
    if (type === "cgroup2") unified = target;
    if (type !== "cgroup") continue;
    for (const name of options) {
      const path = paths.get(name);
      if (path !== undefined && name !== "") directories.set(name, join(target, path));
    }
  }
  const v1 = directories.size > 0;
  if (unified !== undefined) {
    const group = join(unified, paths.get("") ?? "/");
    for (const name of available(group).trim().split(/\s+/)) {
      if (name !== "" && !directories.has(name)) directories.set(name, group);
    }
  }
  return { kind: v1 ? "v1" : unified === undefined ? "none" : "v2", directories };
}

function ownPaths(line: string): readonly (readonly [string, string])[] {
  const match = /^\d+:([^:]*):(.*)$/.exec(line);
  const path = match?.[2];
  return path === undefined ? [] : (match?.[1] ?? "").split(",").map((name) => [name, path] as const);
}

function mounts(text: string): readonly { type: string; target: string; options: readonly string[] }[] {
  return text.split("\n").flatMap((line) => {
    const [before = "", after = ""] = line.split(" - ", 2);
    const target = before.split(" ")[4];
    const [type, , options] = after.split(" ");
    return target === undefined || type === undefined ? [] : [{ type, target, options: (options ?? "").split(",") }];
  });
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
