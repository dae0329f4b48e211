/** Bytes that are all there, as the stream that a store or an archive takes. */
export async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
