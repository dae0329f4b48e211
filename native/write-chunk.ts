/** Writes to a stream and waits until it took the bytes: nothing is left in it for a process that ends. Fails as it does. */
export async function writeChunk(stream: NodeJS.WritableStream, bytes: Uint8Array): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    // Stays after a failure: the stream tells it to the callback, and later to who listens.
    stream.once("error", reject);
    stream.write(bytes, (error) => {
      if (error !== null && error !== undefined) return reject(error);
      stream.off("error", reject);
      // Signals are heard between two writes, also when the stream takes each at once.
      setImmediate(resolve);
    });
  });
}
