import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { checkRoot } from "../root-directory.ts";
import { danglingPrefix } from "./stored.ts";

const load = createRequire(import.meta.url);

/**
 * Names of the images in a store, without opening it: nothing is made, locked or swept. A store that is not there, or
 * cannot be read, or that others could have written to, has none.
 */
export function storedNames(root: string): readonly string[] {
  const file = join(root, "store.db");
  try {
    if (!checkRoot(resolve(root)) || !existsSync(file)) return [];
    const sqlite: typeof import("node:sqlite") = load("node:sqlite");
    using db = new sqlite.DatabaseSync(file, { readOnly: true, timeout: 1000 });
    const names = db.prepare("SELECT name FROM refs ORDER BY name").all();
    return names.map(({ name }) => String(name)).filter((name) => !name.startsWith(danglingPrefix));
  } catch {
    return [];
  }
}
