import { readFileSync } from "node:fs";
import { TsbuildError } from "../../native/errors.ts";
import type { CredentialSource, RegistryOptions } from "../options.ts";
import type { Credentials } from "./credentials.ts";
import { findEntry, helperOf, parseAuthFile, type AuthFile } from "./auth-file.ts";
import { helperCredentials, runHelper, serverName } from "./helper.ts";

/** Credentials, if any, where they are from, and what was looked at: for the message when they do not help. */
export interface FoundCredentials {
  readonly credentials: Credentials | undefined;
  readonly from: string | undefined;
  readonly tried: readonly string[];
}

/**
 * Looks through the sources in order; in each, the host's own helper, then the common helper, then `auths` from the
 * most specific path to the host. A helper that is missing or says nothing is warned of and passed over.
 * @throws E_AUTH_FILE @see containers-auth.json(5), docker's config.json
 */
export async function findCredentials(host: string, path: string, options: RegistryOptions): Promise<FoundCredentials> {
  const tried: string[] = [];
  for (const source of options.credentials ?? []) {
    const name = source.kind === "file" ? source.path : source.name;
    const file = readSource(source);
    if (file === undefined) continue;
    if (file === "damaged") {
      tried.push(`${name}: it cannot be read`);
      options.onWarning?.({ code: "W_AUTH_FILE", message: `${name} is no JSON of credentials: it is passed over` });
      continue;
    }
    const helped = await askHelper(file, host, { name, options });
    const credentials = helped.credentials ?? findEntry(file, host, path);
    tried.push(`${name}${helped.note}${credentials === undefined ? `: nothing for ${host}` : ""}`);
    if (credentials !== undefined) return { credentials, from: name, tried };
  }
  return { credentials: undefined, from: undefined, tried };
}

interface Helped {
  readonly credentials?: Credentials | undefined;
  /** What is told of it: ` -> credsStore "desktop"`. */
  readonly note: string;
}

async function askHelper(
  file: AuthFile,
  host: string,
  { name, options }: { readonly name: string; readonly options: RegistryOptions },
): Promise<Helped> {
  const helper = helperOf(file, host);
  if (helper === undefined) return { note: "" };
  const { program, setting } = helper;
  const { env = {}, patience, onWarning } = options;
  const answer = await runHelper({ program, verb: "get", input: serverName(host), env, patience });
  if (answer.kind === "done" || answer.kind === "failed")
    return { credentials: helperCredentials(answer), note: ` -> ${setting}` };
  const missing = answer.kind === "missing";
  onWarning?.({
    code: "W_CREDENTIAL_HELPER",
    message: `${name} has ${setting}, and ${program} ${missing ? "is not on PATH" : "does not answer"}: it is passed over`,
    hint: `${missing ? `install ${program}` : "give it more time: TSBUILD_REGISTRY_TIMEOUT=2m"}, or remove that setting`,
  });
  return { note: ` -> ${setting} (${program} ${missing ? "not found on PATH" : "does not answer"})` };
}

/** undefined: there is no such file. */
function readSource(source: CredentialSource): AuthFile | "damaged" | undefined {
  if (source.kind === "json") return parseAuthFile(source.text) ?? "damaged";
  const { path, required = false } = source;
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    if (!required) return code === "ENOENT" || code === "ENOTDIR" ? undefined : "damaged";
    throw new TsbuildError(`Cannot read the credentials in ${path}: ${code}`, {
      code: "E_AUTH_FILE",
      cause,
      hint: `make it: tsbuild login --authfile ${path} REGISTRY`,
    });
  }
  return parseAuthFile(text, path.endsWith(".dockercfg")) ?? "damaged";
}
