import { configError } from "../http/config-error.ts";
import { parseToml, TomlError, type TomlTable, type TomlValue } from "./toml.ts";

/** Reads the fields of a table of a configuration file, and names file and field of what is wrong. */
export class TableReader {
  readonly #table: TomlTable;
  readonly #file: string;
  readonly #at: string;

  constructor(table: TomlTable, file: string, at = "") {
    this.#table = table;
    this.#file = file;
    this.#at = at;
  }

  /** @throws E_REGISTRY_CONFIG */
  static parse(text: string, file: string): TableReader {
    try {
      return new TableReader(parseToml(text), file);
    } catch (cause) {
      if (!(cause instanceof TomlError)) throw cause;
      throw configError(`${file}:${cause.line}`, cause.message, { cause });
    }
  }

  value(key: string): TomlValue | undefined {
    return this.#table[key];
  }

  text(key: string): string | undefined {
    const value = this.#table[key];
    if (value === undefined || typeof value === "string") return value;
    throw this.wrong(key, "is no text");
  }

  bool(key: string): boolean | undefined {
    const value = this.#table[key];
    if (value === undefined || typeof value === "boolean") return value;
    throw this.wrong(key, "is neither true nor false");
  }

  texts(key: string): readonly string[] | undefined {
    const value = this.#table[key];
    if (value === undefined) return undefined;
    const texts = Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
    if (!Array.isArray(value) || texts.length < value.length) throw this.wrong(key, "is no list of texts");
    return texts;
  }

  /** The tables of `[[key]]`. */
  tables(key: string): readonly TableReader[] {
    const value = this.#table[key] ?? [];
    if (!Array.isArray(value)) throw this.wrong(key, `is no list of tables: write [[${this.#name(key)}]]`);
    return value.map((one, i) => this.#inner(one, `${key}[${i}]`));
  }

  /** The tables of `[key.NAME]` by name, in the order of the file. */
  named(key: string): readonly (readonly [string, TableReader])[] {
    const value = this.#table[key];
    if (value === undefined) return [];
    if (typeof value !== "object" || Array.isArray(value)) throw this.wrong(key, "is no table");
    return Object.entries(value).map(([name, one]) => [name, this.#inner(one, `${key}.${JSON.stringify(name)}`)]);
  }

  wrong(key: string, why: string): Error {
    return configError(this.#file, `${this.#name(key)} ${why}`);
  }

  #inner(value: TomlValue, key: string): TableReader {
    if (typeof value !== "object" || Array.isArray(value)) throw this.wrong(key, "is no table");
    return new TableReader(value as TomlTable, this.#file, this.#name(key));
  }

  #name(key: string): string {
    return this.#at === "" ? key : `${this.#at}.${key}`;
  }
}
