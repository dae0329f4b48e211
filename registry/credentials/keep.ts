import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { makeDirectories } from "../../native/directory.ts";
import { errorMessage, TsbuildError } from "../../native/errors.ts";
import { writeWholeText } from "../../native/whole-file.ts";
import { helperOf, isRecord, parseAuthFile } from "./auth-file.ts";
import type { Credentials } from "./credentials.ts";
import { runHelper, serverName, type HelperAnswer } from "./helper.ts";

/** Where credentials are kept, and the environment of helpers. */
export interface KeepOptions {
  /** docker's config.json or an auth.json. */
  readonly file: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Where credentials were put. */
export type Kept =
  | { readonly kind: "file"; readonly file: string }
  | { readonly kind: "helper"; readonly program: string };

/**
 * Keeps credentials under `host` or `host/namespace` as docker does: through the helper that the file names, else in the
 * file, which nobody else may read then and which is replaced as a whole. @throws E_CREDENTIAL_HELPER, E_AUTH_FILE
 */
export async function keepCredentials(key: string, credentials: Credentials, options: KeepOptions): Promise<Kept> {
  const config = readConfig(options.file);
  const helper = helperFor(config, key);
  if (helper === undefined) {
    writeConfig(options.file, withEntry(config, key, entryOf(credentials)));
    return { kind: "file", file: options.file };
  }
  const { username, secret } = asUser(credentials);
  const input = JSON.stringify({ ServerURL: serverName(key), Username: username, Secret: secret });
  const { env } = options;
  const answer = await runHelper({ program: helper.program, verb: "store", input, env });
  mustWork("output" in answer ? { ...answer, output: without(secret, answer.output) } : answer, helper.program, "keep");
  // The name alone tells other programs that there is something.
  writeConfig(options.file, withEntry(config, key, {}));
  return { kind: "helper", program: helper.program };
}

/** Forgets them; false when there was nothing. @throws E_CREDENTIAL_HELPER, E_AUTH_FILE */
export async function forgetCredentials(key: string, options: KeepOptions): Promise<boolean> {
  const config = readConfig(options.file);
  const helper = helperFor(config, key);
  let found = false;
  if (helper !== undefined) {
    const { env } = options;
    const answer = await runHelper({ program: helper.program, verb: "erase", input: serverName(key), env });
    // It fails also where it has nothing.
    if (answer.kind !== "failed") mustWork(answer, helper.program, "forget");
    found = answer.kind === "done";
  }
  const auths = isRecord(config["auths"]) ? config["auths"] : {};
  const left = Object.entries(auths).filter(([name]) => canonical(name) !== key);
  if (left.length === Object.keys(auths).length) return found;
  writeConfig(options.file, { ...config, auths: Object.fromEntries(left) });
  return true;
}

/** Every registry that the file's `auths` has. @throws E_AUTH_FILE */
export function keptRegistries(file: string): readonly string[] {
  const config = readConfig(file);
  const keys = isRecord(config["auths"]) ? Object.keys(config["auths"]) : [];
  return [...new Set(keys.map(canonical))];
}

function helperFor(config: Readonly<Record<string, unknown>>, key: string): ReturnType<typeof helperOf> {
  const file = parseAuthFile(JSON.stringify(config));
  // Helpers know hosts, not what is below them.
  return file === undefined || key.includes("/") ? undefined : helperOf(file, key);
}

/** The key as it is written today: `https://HOST/v1/` is HOST, and docker.io has several names. */
function canonical(name: string): string {
  const host = name.replace(/^https?:\/\//, "").replace(/\/(?:v[12]\/?)?$/, "");
  return ["index.docker.io", "registry-1.docker.io"].includes(host) ? "docker.io" : host;
}

function withEntry(
  config: Readonly<Record<string, unknown>>,
  key: string,
  entry: object,
): Readonly<Record<string, unknown>> {
  const auths = isRecord(config["auths"]) ? config["auths"] : {};
  const others = Object.entries(auths).filter(([name]) => canonical(name) !== key);
  return { ...config, auths: { ...Object.fromEntries(others), [serverName(key)]: entry } };
}

function entryOf(credentials: Credentials): object {
  if (credentials.kind === "identity") return { identitytoken: credentials.token };
  const { username, secret } = asUser(credentials);
  return { auth: Buffer.from(`${username}:${secret}`).toString("base64") };
}

function asUser(credentials: Credentials): { readonly username: string; readonly secret: string } {
  if (credentials.kind === "basic") return { username: credentials.username, secret: credentials.password };
  return { username: "<token>", secret: credentials.token };
}

function mustWork(answer: HelperAnswer, program: string, act: "keep" | "forget"): void {
  if (answer.kind === "done") return;
  const said = "output" in answer ? answer.output.trim().slice(0, 200) || "it failed" : silence[answer.kind];
  throw new TsbuildError(`Cannot ${act} credentials by ${program}: ${said}`, {
    code: "E_CREDENTIAL_HELPER",
    hint: `install ${program}, or remove credsStore and credHelpers from the configuration, or use --authfile FILE`,
  });
}

const silence = { missing: "it is not on PATH", stalled: "it does not answer" } as const;

/** What a helper says may repeat what it was told. */
function without(secret: string, text: string): string {
  return text.replaceAll(JSON.stringify(secret).slice(1, -1), "***").replaceAll(secret, "***");
}

function readConfig(file: string): Readonly<Record<string, unknown>> {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return {};
    throw unusable(file, errorMessage(cause), cause);
  }
  try {
    const value: unknown = text.trim() === "" ? {} : JSON.parse(text);
    if (isRecord(value)) return value;
  } catch (cause) {
    throw unusable(file, "it is no JSON", cause);
  }
  throw unusable(file, "it is no JSON object");
}

function writeConfig(file: string, config: Readonly<Record<string, unknown>>): void {
  try {
    makeDirectories(dirname(file), 0o700);
    writeWholeText(file, `${JSON.stringify(config, undefined, "\t")}\n`, 0o600);
  } catch (cause) {
    throw unusable(file, errorMessage(cause), cause);
  }
}

function unusable(file: string, why: string, cause?: unknown): TsbuildError {
  return new TsbuildError(`Cannot use the credentials in ${file}: ${why}`, {
    code: "E_AUTH_FILE",
    cause,
    hint: "mend it, or name another: --authfile FILE",
  });
}
