const units: ReadonlyMap<string, bigint> = new Map([
  ["ns", 1n],
  ["us", 1_000n],
  ["\u00b5s", 1_000n],
  ["\u03bcs", 1_000n],
  ["ms", 1_000_000n],
  ["s", 1_000_000_000n],
  ["m", 60_000_000_000n],
  ["h", 3_600_000_000_000n],
]);
const limit = 2n ** 63n;
const part = /(?:(\d+)(?:\.(\d*))?|\.(\d+))(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/y;

/** Nanoseconds of a duration in Go's syntax (`1m30s`, `1.5h`, `0`), at most 292 years; undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  const sign = /^[+-]/.exec(text)?.[0] ?? "";
  const rest = text.slice(sign.length);
  if (rest === "0") return 0;
  const total = sumOf(rest);
  if (total === undefined || total > (sign === "-" ? limit : limit - 1n)) return undefined;
  return sign === "-" ? -Number(total) : Number(total);
}

function sumOf(text: string): bigint | undefined {
  let total = 0n;
  for (let at = 0; at < text.length; at = part.lastIndex) {
    part.lastIndex = at;
    const [, digits = "", tail = "", alone = tail, unit = ""] = part.exec(text) ?? [];
    const factor = units.get(unit);
    const whole = digits.replace(/^0+/, "");
    if (factor === undefined || whole.length > 19) return undefined;
    total += BigInt(whole) * factor + fraction(alone, factor);
    if (total > limit) return undefined;
  }
  return text === "" ? undefined : total;
}

/** As Go computes it: digits beyond 2^63 are dropped, and so is what is less than a nanosecond. */
function fraction(digits: string, unit: bigint): bigint {
  let value = 0n;
  let scale = 1;
  for (const digit of digits) {
    const next = value * 10n + BigInt(digit);
    if (value > (limit - 1n) / 10n || next > limit) break;
    value = next;
    scale *= 10;
  }
  return BigInt(Math.trunc(Number(value) * (Number(unit) / scale)));
}
