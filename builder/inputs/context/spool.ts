import { constants, openSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { Socket } from "node:net";
import { join } from "node:path";
import { TsbuildError } from "../../../native/errors.ts";
import { maxDockerfile } from "../../dockerfile/max-size.ts";
import { tooLarge } from "./too-large.ts";
import type { Workspace } from "./workspace.ts";

/** Where bytes that can be read once are kept while a build looks at them. */
export interface Spooling {
  readonly stdin: AsyncIterable<Uint8Array> | undefined;
  readonly workspace: Workspace;
  readonly signal: AbortSignal;
}

/** Refuses standard input for two things at once: the context and the Dockerfile that are "-", and named contexts. */
export function checkReaders(
  { context, dockerfile }: { readonly context: string; readonly dockerfile: string | undefined },
  named: readonly string[] = [],
): void {
  const [one, other] = [
    ...(context === "-" ? ["the build context"] : []),
    ...(dockerfile === "-" ? ["the Dockerfile"] : []),
    ...named.map((name) => `the build context ${name}`),
  ];
  if (one === undefined || other === undefined) return;
  throw new TsbuildError(`Cannot read both ${one} and ${other} from standard input`, {
    code: "E_CONTEXT_STDIN",
    hint: "give one of them a name: tsbuild -f Dockerfile - < context.tar",
  });
}

/**
 * Standard input as a file, for it has to be looked at twice. `dockerfile`: what it is called, when it can be nothing
 * else. @throws E_CONTEXT_STDIN, E_DOCKERFILE_SIZE
 */
export async function spoolInput(request: Spooling, dockerfile?: string): Promise<string> {
  const { stdin } = request;
  if (stdin === undefined) {
    throw new TsbuildError("Cannot read from standard input: there is none", {
      code: "E_CONTEXT_STDIN",
      hint: "give the library an `stdin`",
    });
  }
  const path = await spool(stdin, request, dockerfile);
  if (statSync(path).size > 0) return path;
  throw new TsbuildError("Cannot build from standard input: it is empty", {
    code: "E_CONTEXT_STDIN",
    hint: "tsbuild - < context.tar, or tsbuild -f - DIR < Dockerfile",
  });
}

/** A pipe of the host as a file: what a shell's `<(command)` names. @throws E_DOCKERFILE_SIZE */
export async function spoolPipe(path: string, dockerfile: string, request: Spooling): Promise<string> {
  // Waited for by the event loop: a pipe that nobody writes can be given up.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const pipe = new Socket({ fd, readable: true, writable: false });
  try {
    return await spool(pipe, request, dockerfile);
  } finally {
    pipe.destroy();
  }
}

/** `dockerfile`: what the bytes are called, when they can be nothing but one. @throws E_DOCKERFILE_SIZE */
async function spool(
  bytes: AsyncIterable<Uint8Array>,
  { workspace, signal }: Spooling,
  dockerfile: string | undefined,
): Promise<string> {
  const path = join(workspace.directory(), "input");
  await using file = await open(path, "wx", 0o600);
  let size = 0;
  for await (const chunk of untilAborted(bytes, signal)) {
    size += chunk.length;
    if (dockerfile !== undefined && size > maxDockerfile) throw tooLarge(dockerfile);
    await file.appendFile(chunk);
  }
  return path;
}

/** Ends when the signal is aborted, though the next chunk may never come. */
async function* untilAborted(bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  aborted.catch(() => undefined);
  const stop = (): void => reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  const source = bytes[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await Promise.race([source.next(), aborted]);
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
