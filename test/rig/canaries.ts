import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { formsOf } from "../../builder/inputs/secrets/forms.ts";

/** Secrets by their names, and the texts that each of them could be seen by. */
export class Canaries {
  readonly #forms: ReadonlyMap<string, readonly Buffer[]>;

  constructor(values: Readonly<Record<string, Uint8Array | readonly Uint8Array[]>>) {
    const entries = Object.entries(values).map(([name, value]) => {
      const parts = value instanceof Uint8Array ? [value] : value;
      return [name, parts.flatMap((part) => [Buffer.from(part), ...formsOf(part)])] as const;
    });
    this.#forms = new Map(entries);
  }

  /** The names of those that the bytes hold. */
  in(bytes: Buffer): readonly string[] {
    return [...this.#forms].flatMap(([name, forms]) => (forms.some((form) => bytes.includes(form)) ? [name] : []));
  }

  /** `FILE: NAME` for each that is in a file below the directory, also in one that is compressed. */
  below(directory: string): readonly string[] {
    return readdirSync(directory, { recursive: true, withFileTypes: true }).flatMap((entry) => {
      const path = join(entry.parentPath, entry.name);
      if (entry.isSymbolicLink()) return this.#told(`${path} ->`, Buffer.from(readlinkSync(path)));
      return [
        ...this.#told(path, Buffer.from(entry.name)),
        ...(entry.isFile() ? this.#told(path, readPlain(path)) : []),
      ];
    });
  }

  /** `PID FILE: NAME` of processes that are in no container, for what others can read of them. */
  inProcesses(): readonly string[] {
    const own = readlinkSync("/proc/self/ns/pid");
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name) && linkOf(`/proc/${name}/ns/pid`) === own)
      .flatMap((pid) =>
        ["cmdline", "environ"].flatMap((file) => {
          const shown = `${textOf(`/proc/${pid}/cmdline`).toString().replaceAll("\0", " ")} ${file}`;
          return this.#told(shown, textOf(`/proc/${pid}/${file}`));
        }),
      );
  }

  #told(where: string, bytes: Buffer): readonly string[] {
    return this.in(bytes).map((name) => `${where}: ${name}`);
  }
}

function readPlain(path: string): Buffer {
  const bytes = readFileSync(path);
  if (bytes.length < 18 || bytes.readUInt16BE(0) !== 0x1f8b) return bytes;
  try {
    return gunzipSync(bytes);
  } catch {
    return bytes;
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** Nothing of a process that has ended meanwhile. */
function textOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    return Buffer.alloc(0);
  }
}
