const units = ["B", "kB", "MB", "GB", "TB", "PB"] as const;

/** Decimal units as BuildKit's progress has them: `101B`, `1.05kB`, `29.13MB`. */
export function progressBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return unit === 0 ? `${value}B` : `${value.toFixed(2)}${units[unit]}`;
}
