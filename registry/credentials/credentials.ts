import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import type { RegistryOptions } from "../options.ts";

/** What a registry is given to know who asks. */
export type Credentials =
  | { readonly kind: "basic"; readonly username: string; readonly password: string }
  /** An OAuth2 refresh token. */
  | { readonly kind: "identity"; readonly token: string }
  /** A bearer token, used as it is. */
  | { readonly kind: "registry"; readonly token: string };

/** Credentials, if any, and what was looked at: for the message when they do not help. */
export interface FoundCredentials {
  readonly credentials: Credentials | undefined;
  readonly tried: readonly string[];
}

interface AuthFile {
  readonly auths?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly credHelpers?: Readonly<Record<string, string>>;
  readonly credsStore?: string;
}

const helperTimeout = 20_000;
const dockerHubKey = "https://index.docker.io/v1/";

/**
 * Looks through the auth files in order; in each, the host's own helper, then the common helper, then `auths` from the
 * most specific path to the host. @see containers-auth.json(5), docker's config.json
 */
export async function findCredentials(host: string, path: string, options: RegistryOptions): Promise<FoundCredentials> {
  const tried: string[] = [];
  const sources = [
    ...(options.authJson === undefined ? [] : [{ name: "DOCKER_AUTH_CONFIG", text: options.authJson }]),
    ...(await Promise.all((options.authFiles ?? []).map(async (name) => ({ name, text: await readText(name) })))),
  ];
  for (const { name, text } of sources) {
    if (text === undefined) continue;
    const file = parseFile(text);
    if (file === undefined) {
      tried.push(`${name} (damaged)`);
      continue;
    }
    tried.push(name);
    const found = (await fromHelpers(file, host, options, tried)) ?? fromAuths(file, host, path);
    if (found !== undefined) return { credentials: found, tried };
  }
  return { credentials: undefined, tried };
}

async function fromHelpers(
  file: AuthFile,
  host: string,
  options: RegistryOptions,
  tried: string[],
): Promise<Credentials | undefined> {
  const helper = file.credHelpers?.[host] ?? file.credsStore;
  if (helper === undefined || helper === "") return undefined;
  const program = `docker-credential-${helper}`;
  const answer = await askHelper(program, host === "docker.io" ? dockerHubKey : host, options.env ?? {});
  if (answer === "missing") tried.push(`${program} (not found on PATH)`);
  else tried.push(program);
  return typeof answer === "string" ? undefined : answer;
}

/** The server's name goes over stdin, the secret comes over stdout: neither is ever in an argument. */
async function askHelper(
  program: string,
  server: string,
  env: Readonly<Record<string, string>>,
): Promise<Credentials | "missing" | "none"> {
  if (!/^[\w.-]+$/.test(program)) return "missing";
  const { promise, resolve } = Promise.withResolvers<Credentials | "missing" | "none">();
  const child = spawn(program, ["get"], { stdio: ["pipe", "pipe", "ignore"], timeout: helperTimeout, env: { ...env } });
  let output = "";
  child.stdout.on("data", (data: Buffer) => (output += data.toString("utf8")));
  child.stdin.on("error", () => undefined);
  child.on("error", () => resolve("missing"));
  child.on("close", (code) => resolve(code === 0 ? helperAnswer(output) : "none"));
  child.stdin.end(server);
  return await promise;
}

function helperAnswer(output: string): Credentials | "none" {
  try {
    const { Username, Secret }: { Username?: unknown; Secret?: unknown } = JSON.parse(output);
    if (typeof Username !== "string" || typeof Secret !== "string") return "none";
    return Username === "<token>"
      ? { kind: "identity", token: Secret }
      : { kind: "basic", username: Username, password: Secret };
  } catch {
    return "none";
  }
}

function fromAuths(file: AuthFile, host: string, path: string): Credentials | undefined {
  const parts = path.split("/");
  const keys = parts.map((_, at) => [host, ...parts.slice(0, parts.length - at)].join("/"));
  const hostKeys = [host, `https://${host}`, `http://${host}`, `https://${host}/v1/`, `https://${host}/v2/`];
  const hub = host === "docker.io" ? [dockerHubKey, "index.docker.io", "registry-1.docker.io"] : [];
  for (const key of [...keys, ...hostKeys, ...hub]) {
    const entry = file.auths?.[key];
    const found = entry === undefined ? undefined : fromEntry(entry);
    if (found !== undefined) return found;
  }
  return undefined;
}

function fromEntry(entry: Readonly<Record<string, unknown>>): Credentials | undefined {
  const { identitytoken, registrytoken, auth, username, password } = entry;
  if (typeof identitytoken === "string" && identitytoken !== "") return { kind: "identity", token: identitytoken };
  if (typeof registrytoken === "string" && registrytoken !== "") return { kind: "registry", token: registrytoken };
  if (typeof auth === "string" && auth !== "") {
    const text = Buffer.from(auth, "base64").toString("utf8");
    const at = text.indexOf(":");
    if (at > 0) return { kind: "basic", username: text.slice(0, at), password: text.slice(at + 1).replace(/\0+$/, "") };
  }
  if (typeof username === "string" && typeof password === "string") return { kind: "basic", username, password };
  return undefined;
}

function parseFile(text: string): AuthFile | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    const { auths, credHelpers, credsStore }: { auths?: unknown; credHelpers?: unknown; credsStore?: unknown } = value;
    return {
      ...(isRecord(auths)
        ? {
            auths: Object.fromEntries(
              Object.entries(auths).flatMap(([key, one]) => (isRecord(one) ? [[key, one]] : [])),
            ),
          }
        : {}),
      ...(isRecord(credHelpers)
        ? { credHelpers: Object.fromEntries(Object.entries(credHelpers).map(([key, one]) => [key, String(one)])) }
        : {}),
      ...(typeof credsStore === "string" ? { credsStore } : {}),
    };
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

async function readText(file: string): Promise<string | undefined> {
  return await readFile(file, "utf8").catch(() => undefined);
}
