import type { Socket } from "node:net";

/** What a container gets of this process that no spec can hold, by the names that its mounts have for it. */
export interface Attachments {
  /** Contents of files. */
  readonly files?: ReadonlyMap<string, Uint8Array>;
  /** Who gets each connection to a socket, and must end it when an error comes. */
  readonly sockets?: ReadonlyMap<string, (connection: Socket) => void>;
}
