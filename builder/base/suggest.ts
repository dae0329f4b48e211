/** The option nearest to what was written, if it is near enough to be meant: at most two edits, or a third of it. */
export function suggest(written: string, options: readonly string[]): string | undefined {
  const word = written.toLowerCase();
  // Of a single letter nothing would be left.
  const limit = word.length <= 2 ? word.length - 1 : Math.max(1, Math.min(3, Math.floor(word.length / 3)));
  let best: { readonly option: string; readonly distance: number } | undefined;
  for (const option of options) {
    if (option === written) continue;
    const distance = editDistance(word, option.toLowerCase(), limit);
    if (distance <= limit && (best === undefined || distance < best.distance)) best = { option, distance };
  }
  return best?.option;
}

/** As BuildKit suggests names in checks: under three insertions, deletions and replacements; case matters. */
export function nearestName(written: string, names: readonly string[]): string | undefined {
  let best: { readonly name: string; readonly distance: number } | undefined;
  for (const name of names) {
    if (name === written) return undefined;
    const limit = best === undefined ? 2 : best.distance - 1;
    const distance = editDistance(written, name, limit, false);
    if (distance <= limit) best = { name, distance };
  }
  return best?.name;
}

/** Insertions, deletions, replacements and swaps of neighbours; beyond the limit any larger number. */
function editDistance(a: string, b: string, limit: number, swaps: boolean = true): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let cost = Math.min(change, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      const swapped = swaps && i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      row.push(cost);
    }
    // No row after it has a smaller number, but for a swap.
    if (!swaps && Math.min(...row) > limit) return limit + 1;
    before = last;
    last = row;
  }
  return last[b.length] ?? limit + 1;
}
