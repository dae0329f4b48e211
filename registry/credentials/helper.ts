import { spawn } from "node:child_process";
import { absolutePlaces } from "../../native/program-places.ts";
import type { Credentials } from "./credentials.ts";
import { dockerHubKey, isRecord, userOrToken } from "./auth-file.ts";

const timeout = 20_000;

/** How a credential helper's run ended; `missing`: there is no such program. */
export type HelperAnswer =
  | { readonly kind: "done"; readonly output: string }
  | { readonly kind: "failed"; readonly output: string }
  | { readonly kind: "missing" };

/** What helpers call a host. */
export function serverName(host: string): string {
  return host === "docker.io" ? dockerHubKey : host;
}

/**
 * Runs docker-credential-NAME. What it is told goes over its standard input and what it says comes over its output:
 * no secret is ever in an argument. @see docker/docker-credential-helpers
 */
export async function runHelper(
  program: string,
  verb: "get" | "store" | "erase",
  input: string,
  env: Readonly<Record<string, string>>,
): Promise<HelperAnswer> {
  if (!/^[\w.-]+$/.test(program)) return { kind: "missing" };
  const { promise, resolve } = Promise.withResolvers<HelperAnswer>();
  const child = spawn(program, [verb], {
    stdio: ["pipe", "pipe", "ignore"],
    timeout,
    env: { ...env, PATH: absolutePlaces(env["PATH"]) },
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stdin.on("error", () => undefined); // it may end without reading
  child.on("error", () => resolve({ kind: "missing" }));
  child.on("close", (code) => resolve({ kind: code === 0 ? "done" : "failed", output }));
  child.stdin.end(input);
  return await promise;
}

/** The credentials in the answer to `get`. */
export function helperCredentials(answer: HelperAnswer): Credentials | undefined {
  if (answer.kind !== "done") return undefined;
  try {
    const value: unknown = JSON.parse(answer.output);
    if (!isRecord(value)) return undefined;
    const { Username, Secret }: { Username?: unknown; Secret?: unknown } = value;
    return typeof Username === "string" && typeof Secret === "string" && Secret !== ""
      ? userOrToken(Username, Secret)
      : undefined;
  } catch {
    return undefined;
  }
}
