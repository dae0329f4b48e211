import { UsageError } from "./usage-error.ts";

/** `K=V` words as a table; `K` alone is given to `bare`, and left out if that says undefined. @throws E_USAGE */
export function keyValues(
  words: readonly string[],
  flag: string,
  bare: (key: string) => string | undefined,
): Readonly<Record<string, string>> {
  const found = new Map<string, string>();
  for (const word of words) {
    const equals = word.indexOf("=");
    const key = equals < 0 ? word : word.slice(0, equals);
    if (key === "") throw new UsageError(`Flag ${flag} needs a name before =: ${word}`, { hint: `${flag} NAME=VALUE` });
    const value = equals < 0 ? bare(key) : word.slice(equals + 1);
    if (value !== undefined) found.set(key, value);
  }
  return Object.fromEntries(found);
}
