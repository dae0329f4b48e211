const steps: readonly (readonly [number, number, string])[] = [
  [60, 1, "second"],
  [3600, 60, "minute"],
  [86_400 * 14, 86_400, "day"],
  [86_400 * 60, 86_400 * 7, "week"],
  [86_400 * 730, 86_400 * 30, "month"],
  [Infinity, 86_400 * 365, "year"],
];

/** `3 minutes ago`, in docker's words and steps. */
export function timeAgo(then: number, now: number): string {
  const seconds = Math.max(0, Math.floor((now - then) / 1000));
  if (seconds < 1) return "Less than a second ago";
  if (seconds >= 60 && seconds < 120) return "About a minute ago";
  const hours = Math.floor(seconds / 3600 + 0.5);
  if (seconds >= 3600 && hours < 48) return hours === 1 ? "About an hour ago" : `${hours} hours ago`;
  for (const [limit, unit, name] of steps) {
    if (seconds >= limit) continue;
    const count = Math.floor(seconds / unit);
    return `${count} ${name}${count === 1 ? "" : "s"} ago`;
  }
  return "";
}

/** `2026-11-24 12:55:54 +0000 UTC`: docker's CreatedAt. */
export function goTime(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19).replace("T", " ")} +0000 UTC`;
}
