import { statSync } from "node:fs";
import { resolve } from "node:path";
import { errorMessage } from "../../../native/errors.ts";
import { readUpTo } from "../../base/read-up-to.ts";
import { maxSecretSize, type SecretProvider } from "../../inputs/secrets/secrets.ts";
import { parseCsv } from "../base/csv.ts";
import { closest } from "../base/suggest.ts";
import { UsageError } from "../base/usage-error.ts";

const hint = "--secret id=NAME,src=FILE or --secret id=NAME,env=VARIABLE";
const keys: readonly string[] = ["id", "src", "source", "env", "type"];

/** Where --secret looks: the environment and the working directory. */
interface Place {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

/** `--secret id=,src=|env=,type=file|env` words by their ids; files are read when a step asks. @throws E_USAGE */
export function parseSecrets(words: readonly string[], place: Place): Readonly<Record<string, SecretProvider>> {
  return Object.fromEntries(
    words.map((word) => {
      const { id, provider } = parseSecret(word, place);
      return [id, provider];
    }),
  );
}

function parseSecret(word: string, place: Place): { readonly id: string; readonly provider: SecretProvider } {
  const found = new Map<string, string>();
  for (const [key, value] of parseCsv(word, "--secret")) {
    if (value === undefined) throw new UsageError(`Flag --secret needs key=value: ${key}`, { hint });
    if (!keys.includes(key)) {
      const near = closest(key, keys);
      throw new UsageError(`Flag --secret does not know ${JSON.stringify(key)}`, {
        hint: near === undefined ? hint : `did you mean ${near}?`,
      });
    }
    found.set(key === "source" ? "src" : key, value);
  }
  const id = found.get("id") ?? "";
  if (id === "") throw new UsageError(`Flag --secret needs an id: ${word}`, { hint });
  return { id, provider: providerOf(id, found, place) };
}

/**
 * As buildx and BuildKit have it: env wins over a file, which must be there all the same; type=env takes src for a
 * variable's name; without either, the variable or the file of the id's name. A variable that is not set is empty.
 */
function providerOf(id: string, found: ReadonlyMap<string, string>, place: Place): SecretProvider {
  const [type, src, env] = ["type", "src", "env"].map((key) => (found.get(key) === "" ? undefined : found.get(key)));
  if (type !== undefined && type !== "file" && type !== "env")
    throw new UsageError(`Flag --secret does not know type=${type}`, { hint: "type is file or env" });
  const isName = type === "env" && env === undefined;
  const [path, named] = isName ? [undefined, src] : [src, env];
  const name = named ?? (path === undefined && place.env[id] !== undefined ? id : undefined);
  const file = path ?? (name === undefined ? id : undefined);
  const fromFile = file === undefined ? undefined : fileProvider(id, file, place);
  if (name === undefined && fromFile !== undefined) return fromFile;
  return () => place.env[name ?? ""] ?? "";
}

function fileProvider(id: string, path: string, { cwd }: Place): SecretProvider {
  const file = resolve(cwd, path);
  let size: number;
  try {
    const stat = statSync(file);
    if (stat.isDirectory()) throw new Error("it is a directory");
    ({ size } = stat);
  } catch (cause) {
    const neither = path === id ? `, and there is no variable ${id}` : "";
    const missing = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
    const why = missing ? `${path} does not exist` : errorMessage(cause);
    throw new UsageError(`Cannot use the secret ${id}: ${why}${neither}`, { cause, hint });
  }
  if (size > maxSecretSize)
    throw new UsageError(`Cannot use the secret ${id}: ${path} has ${size} bytes, more than 500 KiB`, {
      hint: "give a path to large files by --build-context and mount that",
    });
  // The file may have grown since, or be a pipe: the engine refuses what is too large then.
  return () => readUpTo(file, maxSecretSize);
}
