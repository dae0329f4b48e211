/** Not by `performance`, which Node loads when it is first asked for: a millisecond of every command. */
export function monotonic(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1_000_000;
}

const origin = Date.now() - monotonic();

/** Milliseconds since the epoch with fractions; never goes back. */
export function now(): number {
  return origin + monotonic();
}
