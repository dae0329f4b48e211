import type { SshAgentOptions, SshSource } from "./agents.ts";

/** The agents of a build; most builds have none. @throws E_SSH_AGENT, E_SSH_KEY */
export async function openAgents(
  ssh: Readonly<Record<string, SshAgentOptions>> | undefined,
): Promise<SshSource | undefined> {
  if (ssh === undefined || Object.keys(ssh).length === 0) return undefined;
  const { SshAgents } = await import("./agents.ts");
  return new SshAgents(ssh);
}
