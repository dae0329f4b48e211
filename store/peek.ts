import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { LocalContentStore } from "./content/local.ts";
import type { ContentStore } from "./content/store.ts";
import { toRef } from "./refs.ts";
import { checkRoot } from "./root-directory.ts";
import type { RefStore } from "./store.ts";

const load = createRequire(import.meta.url);

/** Names and documents of a store that is only looked at. */
export interface StorePeek extends Disposable {
  readonly refs: Pick<RefStore, "get">;
  readonly content: Pick<ContentStore, "read">;
}

/**
 * Looks into a store without writing or making anything; undefined when there is none, when it may not be read, and when
 * others could have written to it.
 */
export function peekStore(root: string): StorePeek | undefined {
  const file = join(resolve(root), "store.db");
  try {
    if (!checkRoot(resolve(root)) || !existsSync(file)) return undefined;
    const sqlite: typeof import("node:sqlite") = load("node:sqlite");
    const url = pathToFileURL(file);
    // A database that nobody writes to can be read without its lock files, which reading would make.
    if (!existsSync(`${file}-wal`)) url.searchParams.set("immutable", "1");
    const db = new sqlite.DatabaseSync(url, { readOnly: true, timeout: 5000 });
    const find = db.prepare("SELECT * FROM refs WHERE name = ?");
    return {
      refs: {
        get: (name) => {
          const row = find.get(name);
          return row === undefined ? undefined : toRef(row);
        },
      },
      content: new LocalContentStore(resolve(root)),
      [Symbol.dispose]: () => db.close(),
    };
  } catch {
    return undefined;
  }
}
