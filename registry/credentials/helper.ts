import { spawn } from "node:child_process";
import { absolutePlaces } from "../../native/program-places.ts";
import type { Credentials } from "./credentials.ts";
import { defaultPatience } from "../http/retry.ts";
import { dockerHubKey, isRecord, userOrToken } from "./auth-file.ts";

/** Bytes of the longest answer. */
const maxOutput = 1 << 20;

/** How a credential helper's run ended; `missing`: there is no such program; `stalled`: it was not waited for any longer. */
export type HelperAnswer =
  | { readonly kind: "done"; readonly output: string }
  | { readonly kind: "failed"; readonly output: string }
  | { readonly kind: "missing" }
  | { readonly kind: "stalled" };

/** One run of docker-credential-NAME. */
export interface HelperRun {
  readonly program: string;
  readonly verb: "get" | "store" | "erase";
  readonly input: string;
  readonly env: Readonly<Record<string, string>>;
  /** Milliseconds. */
  readonly patience?: number | undefined;
}

/** What helpers call a host. */
export function serverName(host: string): string {
  return host === "docker.io" ? dockerHubKey : host;
}

/**
 * Runs docker-credential-NAME. What it is told goes over its standard input and what it says comes over its output:
 * no secret is ever in an argument. It is over when the output is, which a program that it started may hold open too.
 * @see docker/docker-credential-helpers
 */
export async function runHelper(run: HelperRun): Promise<HelperAnswer> {
  const { program, verb, input, env, patience = defaultPatience } = run;
  if (!/^[\w.-]+$/.test(program)) return { kind: "missing" };
  const { promise, resolve } = Promise.withResolvers<HelperAnswer>();
  const child = spawn(program, [verb], {
    stdio: ["pipe", "pipe", "ignore"],
    env: { ...env, PATH: absolutePlaces(env["PATH"]) },
  });
  const giveUp = (): void => {
    resolve({ kind: "stalled" });
    child.kill("SIGKILL");
    child.stdin.destroy();
    child.stdout.destroy();
  };
  const timer = setTimeout(giveUp, patience);
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    if (output.length > maxOutput) giveUp();
  });
  child.stdin.on("error", () => undefined); // it may end without reading
  child.on("error", () => resolve({ kind: "missing" }));
  child.on("close", (code) => resolve({ kind: code === 0 ? "done" : "failed", output }));
  child.stdin.end(input);
  return await promise.finally(() => clearTimeout(timer));
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
