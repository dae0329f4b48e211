import { agentMessage, type AgentSession } from "./agent.ts";
import type { AgentKey } from "./private-key.ts";
import { wireString, wireU32 } from "./wire.ts";

/** A session with an agent of this process's own. Comments of keys are not told: they name files and people. */
export function keyringSession(keys: readonly AgentKey[]): AgentSession {
  return {
    answer: async (request) => {
      if (request.kind === "list") return listAnswer(keys);
      const key = keys.find(({ blob }) => blob.equals(request.key));
      if (key === undefined) return Buffer.of(agentMessage.failure);
      const signature = await key.sign(request.data, request.flags);
      return Buffer.concat([Buffer.of(agentMessage.signature), wireString(signature)]);
    },
    [Symbol.dispose]: () => undefined,
  };
}

function listAnswer(keys: readonly AgentKey[]): Buffer {
  const entries = keys.flatMap(({ blob }) => [wireString(blob), wireString("")]);
  return Buffer.concat([Buffer.of(agentMessage.keys), wireU32(keys.length), ...entries]);
}
