/** The forms in which Go prints values, which BuildKit uses for the lines of an image's history. */

const escapes: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
};

/** `%q` of a string: in double quotes, what cannot be printed escaped. @see Go's strconv.Quote */
function quoteText(text: string): string {
  return `"${[...text].map((char) => (char === '"' ? '\\"' : escapeChar(char))).join("")}"`;
}

/** `%q` of strings: `["a" "b"]`. */
export function quoteList(texts: readonly string[]): string {
  return `[${texts.map(quoteText).join(" ")}]`;
}

/** `%s` of a duration in nanoseconds: `1h2m3.5s`, `100ms`, `0s`. @see Go's time.Duration.String */
export function durationText(nanoseconds: number): string {
  if (nanoseconds === 0) return "0s";
  for (const [unit, size] of [
    ["ns", 1],
    ["µs", 1e3],
    ["ms", 1e6],
  ] as const) {
    if (nanoseconds < size * 1e3) return `${decimal(nanoseconds, size)}${unit}`;
  }
  const hours = Math.floor(nanoseconds / 3600e9);
  const minutes = Math.floor(nanoseconds / 60e9) % 60;
  const seconds = `${decimal(nanoseconds % 60e9, 1e9)}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}

/** Value / unit without needless zeros; both are whole numbers. */
function decimal(value: number, unit: number): string {
  const rest = String(value % unit)
    .padStart(String(unit).length - 1, "0")
    .replace(/0+$/, "");
  const whole = String(Math.floor(value / unit));
  return unit === 1 || rest === "" ? whole : `${whole}.${rest}`;
}

function escapeChar(char: string): string {
  const known = escapes[char];
  if (known !== undefined) return known;
  if (char === " " || /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(char)) return char;
  const code = char.codePointAt(0) ?? 0;
  if (code >= 0xd800 && code <= 0xdfff) return "\ufffd";
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code > 0xffff ? `\\U${code.toString(16).padStart(8, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
}
