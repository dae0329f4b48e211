/** What a container reads and writes, as streams of the program. */
export interface RunStreams {
  /** What the command reads; nothing without it. */
  readonly stdin?: AsyncIterable<Uint8Array | string>;
  /** Where its output goes; the stream is ended with it, but not the process's own. Default: the process's own. */
  readonly stdout?: NodeJS.WritableStream;
  readonly stderr?: NodeJS.WritableStream;
}
