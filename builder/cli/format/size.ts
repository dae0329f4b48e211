const units = ["B", "kB", "MB", "GB", "TB", "PB"] as const;

/** Decimal with four significant digits as docker prints sizes: `0B`, `1.24kB`, `117MB`. */
export function dockerSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${Number(value.toPrecision(3))}${units[unit]}`;
}

const factors: Readonly<Record<string, number>> = { "": 1, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

/** `512m`, `2g`, `1.5gb`, `1024`: bytes, or undefined if it is not a size. Units are binary, as docker's -m has them. */
export function parseBytes(text: string): number | undefined {
  const match = /^([0-9]+(?:\.[0-9]+)?) ?([bkmgt]?)(?:i?b)?$/i.exec(text.trim());
  const factor = factors[(match?.[2] ?? "").toLowerCase()];
  return match === null || factor === undefined ? undefined : Math.floor(Number(match[1]) * factor);
}
