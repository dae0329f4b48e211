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
