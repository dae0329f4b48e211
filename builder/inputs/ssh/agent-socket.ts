import { join } from "node:path";
import { listenAt } from "../../../native/unix-listener.ts";
import { Root } from "../../../native/path.ts";
import { scratchDirectory } from "../../base/scratch-directory.ts";
import type { SshSource } from "./agents.ts";

/** An agent of the build at a path of the host, for as long as it is held. */
export interface AgentSocket extends AsyncDisposable {
  /** The value of SSH_AUTH_SOCK for a program that the engine starts. */
  readonly socketPath: string;
}

/** All that a socket's address can hold. @see unix(7) */
const longestPath = 107;

/**
 * Lets a program of the host, such as git, use an agent of `--ssh` while the result is held: to list keys and to sign,
 * no more. The socket is in a new directory below `parent` that only this user can enter. undefined: nobody gave an agent
 * of that id ("default" is the one that `--ssh default` gives).
 *
 *     await using agent = await openSshAgent(agents, "default", store.scratch);
 *     const env = agent === undefined ? {} : { SSH_AUTH_SOCK: agent.socketPath };
 */
export async function openSshAgent(agents: SshSource, id: string, parent: string): Promise<AgentSocket | undefined> {
  const connected = agents.get(id);
  if (connected === undefined) return undefined;
  await using stack = new AsyncDisposableStack();
  const { path } = stack.use(scratchDirectory(parent, "ssh-"));
  const plain = join(path, "agent");
  // One that is too long to be an address has a shorter name, as long as the directory is open.
  const short = (): string => `/proc/${process.pid}/fd/${stack.use(Root.open(path)).fd}/agent`;
  const socketPath = Buffer.byteLength(plain) <= longestPath ? plain : short();
  stack.use(await listenAt(socketPath, connected));
  const held = stack.move();
  return { socketPath, [Symbol.asyncDispose]: async () => await held.disposeAsync() };
}
