import type { Socket } from "node:net";
import { readMessages, writeMessage } from "./frames.ts";
import { WireError, WireReader, wireString, wireU32 } from "./wire.ts";

/** Numbers of messages. @see draft-ietf-sshm-ssh-agent */
export const agentMessage = { failure: 5, listKeys: 11, keys: 12, sign: 13, signature: 14 } as const;

/** What a step may ask of an agent. */
export type AgentRequest =
  | { readonly kind: "list" }
  | { readonly kind: "sign"; readonly key: Buffer; readonly data: Buffer; readonly flags: number };

/** An agent as one client sees it: one request at a time. Dispose ends a request that waits. */
export interface AgentSession extends Disposable {
  /** A whole message, its number included. */
  answer(request: AgentRequest): Promise<Uint8Array>;
}

const failure = Buffer.of(agentMessage.failure);

/**
 * Answers a client until it goes away. Keys can be listed and used; all else (to add, remove or lock keys, extensions) is
 * answered by a failure and goes no further, and what goes further is written anew.
 */
export async function serveAgent(connection: Socket, session: AgentSession): Promise<void> {
  using held = session;
  connection.once("close", () => held[Symbol.dispose]());
  try {
    for await (const message of readMessages(connection)) await writeMessage(connection, await answerTo(message, held));
  } catch {
    // The client or the agent went away, or a length is a lie: there is nobody to tell.
  } finally {
    connection.destroy();
  }
}

async function answerTo(message: Buffer, session: AgentSession): Promise<Uint8Array> {
  const request = parseRequest(message);
  return request === undefined ? failure : await session.answer(request);
}

/** undefined: not allowed, or not what it should be. */
export function parseRequest(message: Uint8Array): AgentRequest | undefined {
  try {
    const reader = new WireReader(message);
    const request = readRequest(reader);
    reader.end();
    return request;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

function readRequest(reader: WireReader): AgentRequest | undefined {
  const kind = reader.byte();
  if (kind === agentMessage.listKeys) return { kind: "list" };
  if (kind === agentMessage.sign)
    return { kind: "sign", key: reader.string(), data: reader.string(), flags: reader.u32() };
  reader.rest();
  return undefined;
}

export function encodeRequest(request: AgentRequest): Buffer {
  if (request.kind === "list") return Buffer.of(agentMessage.listKeys);
  const { key, data, flags } = request;
  return Buffer.concat([Buffer.of(agentMessage.sign), wireString(key), wireString(data), wireU32(flags)]);
}

/** The agent's answer if it is one to the request, a failure otherwise. */
export function checkedAnswer(request: AgentRequest, message: Uint8Array): Uint8Array {
  const expected = request.kind === "list" ? agentMessage.keys : agentMessage.signature;
  return message[0] === expected ? message : failure;
}
