import type { Database, Row } from "./database.ts";
import type { Descriptor } from "./oci/descriptor.ts";
import { isUseOutdated } from "./last-use.ts";
import { parseDigest, type Digest } from "./oci/digest.ts";
import type { CacheRecord, CompressedLayers, StepCache } from "./store.ts";

/** Step results in the store's database. */
export class DatabaseCache implements StepCache {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  find(key: Digest): CacheRecord | undefined {
    const row = this.#db.get(
      "SELECT steps.*, snapshots.id AS present FROM step_keys JOIN steps ON steps.id = step_keys.step " +
        "LEFT JOIN snapshots ON snapshots.id = steps.snapshot WHERE step_keys.key = ?",
      key,
    );
    if (row === undefined || (row["snapshot"] !== null && row["present"] === null)) return undefined;
    if (isUseOutdated(Number(row["used"])))
      this.#db.run("UPDATE steps SET used = ? WHERE id = ?", Date.now(), Number(row["id"]));
    return toRecord(row);
  }

  put(records: readonly CacheRecord[]): void {
    this.#db.transaction(() => {
      for (const record of records) this.#insert(record);
    });
  }

  delete(key: Digest): void {
    this.#db.transaction(() => {
      const step = this.#db.get("SELECT step FROM step_keys WHERE key = ?", key)?.["step"];
      if (step === undefined) return;
      this.#db.run("DELETE FROM step_keys WHERE step = ?", Number(step));
      this.#db.run("DELETE FROM steps WHERE id = ?", Number(step));
    });
  }

  #insert(record: CacheRecord): void {
    const { keys, slot, snapshotID, inputs, created } = record;
    this.#db.run(
      "INSERT INTO steps (slot, keys, snapshot, inputs, created, used) VALUES (?, ?, ?, ?, ?, ?)",
      slot,
      JSON.stringify(keys),
      snapshotID ?? null,
      JSON.stringify(inputs),
      created,
      Date.now(),
    );
    const step = Number(this.#db.get("SELECT last_insert_rowid() AS id")?.["id"]);
    for (const key of keys) this.#db.run("INSERT OR REPLACE INTO step_keys VALUES (?, ?)", key, step);
    // A record that no key leads to any more is of no use.
    this.#db.run("DELETE FROM steps WHERE slot = ? AND id < ? AND id NOT IN (SELECT step FROM step_keys)", slot, step);
  }
}

function toRecord(row: Row): CacheRecord {
  const keys: unknown = JSON.parse(String(row["keys"]));
  return {
    keys: Array.isArray(keys) ? keys.map((key) => parseDigest(String(key))) : [],
    slot: String(row["slot"]),
    snapshotID: row["snapshot"] === null ? undefined : String(row["snapshot"]),
    inputs: JSON.parse(String(row["inputs"])),
    created: Number(row["created"]),
  };
}

/** Compressed forms of layers in the store's database. */
export class DatabaseCompressed implements CompressedLayers {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  get(diffID: Digest, mediaType: string): Descriptor | undefined {
    const row = this.#db.get("SELECT descriptor FROM compressed WHERE diff = ? AND media_type = ?", diffID, mediaType);
    return row === undefined ? undefined : JSON.parse(String(row["descriptor"]));
  }

  set(diffID: Digest, compressed: Descriptor): void {
    const text = JSON.stringify(compressed);
    this.#db.run("INSERT OR REPLACE INTO compressed VALUES (?, ?, ?)", diffID, compressed.mediaType, text);
  }
}
