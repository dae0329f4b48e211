const factors: Readonly<Record<string, number>> = { "": 1, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

/** `512m`, `2g`, `1.5gb`, `1024`: bytes, or undefined if it is not a size. Units are binary, as docker's -m has them. */
export function parseBytes(text: string): number | undefined {
  const match = /^([0-9]+(?:\.[0-9]+)?) ?([bkmgt]?)(?:i?b)?$/i.exec(text.trim());
  const factor = factors[(match?.[2] ?? "").toLowerCase()];
  return match === null || factor === undefined ? undefined : Math.floor(Number(match[1]) * factor);
}
