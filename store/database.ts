import type { DatabaseSync, StatementSync } from "node:sqlite";
import { closeSync, existsSync, openSync } from "node:fs";
import { createRequire } from "node:module";
import { TsbuildError } from "../native/errors.ts";
import { recordsError } from "./open-error.ts";

const load = createRequire(import.meta.url);
const schemaVersion = 3;

const schema = `
  CREATE TABLE snapshots (
    id TEXT PRIMARY KEY, parent TEXT, chain TEXT NOT NULL UNIQUE, diff TEXT NOT NULL, size INTEGER NOT NULL, epoch TEXT,
    layer TEXT
  ) WITHOUT ROWID;
  CREATE INDEX snapshots_diff ON snapshots (diff);
  CREATE TABLE refs (name TEXT PRIMARY KEY, target TEXT NOT NULL, updated INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE steps (
    id INTEGER PRIMARY KEY, slot TEXT NOT NULL, keys TEXT NOT NULL, snapshot TEXT, inputs TEXT NOT NULL,
    created INTEGER NOT NULL, used INTEGER NOT NULL
  );
  CREATE INDEX steps_slot ON steps (slot);
  CREATE TABLE step_keys (key TEXT PRIMARY KEY, step INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX step_keys_step ON step_keys (step);
  CREATE TABLE compressed (
    diff TEXT NOT NULL, media_type TEXT NOT NULL, descriptor TEXT NOT NULL, PRIMARY KEY (diff, media_type)
  ) WITHOUT ROWID;
  PRAGMA user_version = ${schemaVersion};
`;

/** What brings a store of an older version to the next one: `upgrades[n]` from n. */
const upgrades: Readonly<Record<number, string>> = {
  1: "ALTER TABLE snapshots ADD COLUMN layer TEXT; PRAGMA user_version = 2",
  // The layers of older steps lacked the directories of what they change: they are made anew.
  2: "DELETE FROM step_keys; DELETE FROM steps; PRAGMA user_version = 3",
};

export type Value = string | number | null;
export type Row = Readonly<Record<string, unknown>>;

/**
 * The store's metadata: one SQLite file, used by many processes at once. Statements are prepared once.
 * Everything throws E_NO_SPACE, E_READ_ONLY, E_STORE_BUSY or E_STORE_OPEN when the file cannot be used.
 */
export class Database implements Disposable {
  readonly #file: string;
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /** Opens or makes the file. @throws E_STORE_VERSION */
  constructor(file: string) {
    const sqlite: typeof import("node:sqlite") = load("node:sqlite");
    this.#file = file;
    // SQLite would leave it, and what it makes beside it, to the umask.
    if (!existsSync(file)) closeSync(openSync(file, "a", 0o600));
    this.#db = this.#asked(() => new sqlite.DatabaseSync(file, { timeout: 30_000 }));
    try {
      this.#open();
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  #open(): void {
    this.#exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    const version = Number(this.get("PRAGMA user_version")?.["user_version"] ?? 0);
    if (version === 0) this.#create();
    else if (version < schemaVersion) this.#upgrade();
    else if (version !== schemaVersion) {
      throw new TsbuildError(
        `Cannot open the store: its format is version ${version}, this program knows ${schemaVersion}`,
        {
          code: "E_STORE_VERSION",
          hint: "use the tsbuild that made it, or another directory with --root",
        },
      );
    }
  }

  /** The first row. */
  get(sql: string, ...values: readonly Value[]): Row | undefined {
    return this.#asked(() => this.#prepare(sql).get(...values));
  }

  all(sql: string, ...values: readonly Value[]): readonly Row[] {
    return this.#asked(() => this.#prepare(sql).all(...values));
  }

  /** Number of rows changed. */
  run(sql: string, ...values: readonly Value[]): number {
    return Number(this.#asked(() => this.#prepare(sql).run(...values)).changes);
  }

  /** All or nothing, and on disk when it returns. */
  transaction<T>(act: () => T): T {
    this.#exec("BEGIN IMMEDIATE");
    try {
      const result = act();
      this.#exec("COMMIT");
      return result;
    } catch (error) {
      // A full disk has rolled back already. @see https://sqlite.org/lang_transaction.html
      if (this.#db.isTransaction) this.#exec("ROLLBACK");
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }

  #create(): void {
    this.transaction(() => {
      // Another process may have made it while this one waited for the lock.
      if (Number(this.get("PRAGMA user_version")?.["user_version"]) === 0) this.#exec(schema);
    });
  }

  /** Another process may do the same at once: what it did is not done again. */
  #upgrade(): void {
    this.transaction(() => {
      for (;;) {
        const version = Number(this.get("PRAGMA user_version")?.["user_version"]);
        const upgrade = upgrades[version];
        if (upgrade === undefined) return;
        this.#exec(upgrade);
      }
    });
  }

  #exec(sql: string): void {
    this.#asked(() => this.#db.exec(sql));
  }

  #asked<T>(act: () => T): T {
    try {
      return act();
    } catch (error) {
      throw recordsError(error, this.#file);
    }
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}
