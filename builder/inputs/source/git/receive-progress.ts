const units: Readonly<Record<string, number>> = { bytes: 1, KiB: 1 << 10, MiB: 1 << 20, GiB: 1 << 30 };

/** Bytes received so far, as a line of git's progress has it; undefined: it says nothing of them. */
export function receivedBytes(line: string): number | undefined {
  const [, number, unit = ""] = /^Receiving objects: .*, ([\d.]+) (bytes|KiB|MiB|GiB)/.exec(line) ?? [];
  const factor = units[unit];
  return number === undefined || factor === undefined ? undefined : Math.round(Number(number) * factor);
}

/** Whether the line is of a counter, which is not for a log. */
export function isCounter(line: string): boolean {
  return /^(?:remote: )?[A-Z][\w ]+:\s+(?:\d+% \()?\d+/.test(line);
}
