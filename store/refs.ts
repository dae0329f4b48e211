import type { Database, Row } from "./database.ts";
import type { Descriptor } from "./oci/descriptor.ts";
import type { ImageRef, RefStore } from "./store.ts";

/** Names of images in the store's database. */
export class DatabaseRefs implements RefStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  get(name: string): ImageRef | undefined {
    const row = this.#db.get("SELECT * FROM refs WHERE name = ?", name);
    return row === undefined ? undefined : toRef(row);
  }

  set(name: string, target: Descriptor): void {
    this.#db.run("INSERT OR REPLACE INTO refs VALUES (?, ?, ?)", name, JSON.stringify(target), Date.now());
  }

  delete(name: string): boolean {
    return this.#db.run("DELETE FROM refs WHERE name = ?", name) > 0;
  }

  together<T>(act: () => T): T {
    return this.#db.transaction(act);
  }

  list(): readonly ImageRef[] {
    return this.#db.all("SELECT * FROM refs ORDER BY name").map(toRef);
  }
}

/** A row of the table of names. */
export function toRef(row: Row): ImageRef {
  return { name: String(row["name"]), target: JSON.parse(String(row["target"])), updated: Number(row["updated"]) };
}
