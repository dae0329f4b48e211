import { statSync } from "node:fs";
import type { Socket } from "node:net";
import { errorMessage, TsbuildError } from "../../../native/errors.ts";
import { readUpTo } from "../../base/read-up-to.ts";
import { serveAgent } from "./agent.ts";
import { keyringSession } from "./keyring.ts";
import { KeyError } from "./key-error.ts";
import { parsePrivateKey, type AgentKey } from "./private-key.ts";
import { forwardBytes, upstreamSession } from "./upstream.ts";

/** One agent of `--ssh`: the socket of an agent, or files with private keys that have no passphrase. */
export interface SshAgentOptions {
  readonly paths: readonly string[];
  /** The socket's bytes as they are, whatever listens there: nothing is held back. Default false. */
  readonly raw?: boolean;
}

/** Takes a client's connection over and answers it until it ends. Never throws. */
export type ConnectionHandler = (connection: Socket) => void;

/** Where steps and sources get SSH agents from, by their ids. */
export interface SshSource {
  /** What answers the clients of an agent; undefined: nobody gave one of that id. */
  get(id: string): ConnectionHandler | undefined;
}

/** Bytes of the largest key file. */
const maxKeyFile = 100 << 10;

/** The agents of one build by their ids. */
export class SshAgents implements SshSource {
  readonly #handlers: ReadonlyMap<string, ConnectionHandler>;

  /** Looks at every path: keys are read now, sockets are connected to by each client. @throws E_SSH_AGENT, E_SSH_KEY */
  constructor(options: Readonly<Record<string, SshAgentOptions>>) {
    this.#handlers = new Map(Object.entries(options).map(([id, one]) => [id, handlerOf(id, one)]));
  }

  get(id: string): ConnectionHandler | undefined {
    return this.#handlers.get(id);
  }
}

function handlerOf(id: string, { paths, raw = false }: SshAgentOptions): ConnectionHandler {
  if (paths.length === 0) throw agentError(id, "it has neither a socket nor a key");
  const found = paths.map((path) => ({ path, socket: isSocket(id, path) }));
  const [first] = found;
  if (first?.socket === true && found.length === 1) {
    if (raw) return (client) => forwardBytes(client, first.path);
    return (client) => void serveAgent(client, upstreamSession(first.path));
  }
  if (raw) throw agentError(id, "raw takes one socket and nothing else");
  if (found.some(({ socket }) => socket)) throw agentError(id, "a socket stands alone, without keys or other sockets");
  const keys = paths.map((path) => readKey(path));
  return (client) => void serveAgent(client, keyringSession(keys));
}

function isSocket(id: string, path: string): boolean {
  try {
    return statSync(path).isSocket();
  } catch (cause) {
    throw agentError(id, errorMessage(cause), cause);
  }
}

function agentError(id: string, state: string, cause?: unknown): TsbuildError {
  return new TsbuildError(`Cannot use the SSH agent ${id}: ${state}`, {
    code: "E_SSH_AGENT",
    hint: `--ssh ${id}=SOCKET or --ssh ${id}=KEY[,KEY...]`,
    ...(cause === undefined ? {} : { cause }),
  });
}

function readKey(path: string): AgentKey {
  let file: Buffer | undefined;
  try {
    file = readUpTo(path, maxKeyFile);
    if (file.length > maxKeyFile) throw new KeyError("it is larger than 100 KiB");
    return parsePrivateKey(file.toString("latin1"));
  } catch (error) {
    const hint = error instanceof KeyError ? error.hint : undefined;
    throw new TsbuildError(`Cannot use the key ${path}: ${errorMessage(error)}`, {
      code: "E_SSH_KEY",
      ...(hint === undefined ? {} : { hint: hint.replace("FILE", path) }),
    });
  } finally {
    file?.fill(0);
  }
}
