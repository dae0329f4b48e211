const form = /^(\d+(?:\.\d*)?|\.\d+) ?(?:b|(?:([kmgtp])(?:i?b)?))?$/i;

/** `512m`, `2g`, `1.5gb`, `1024`: bytes, or undefined if it is not a size. Units are binary, as docker's -m has them. */
export function parseBytes(text: string): number | undefined {
  const match = form.exec(text);
  if (match === null) return undefined;
  const power = "kmgtp".indexOf((match[2] ?? "?").toLowerCase()) + 1;
  const bytes = Math.floor(Number(match[1]) * 1024 ** power);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
