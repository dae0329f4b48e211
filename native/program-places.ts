const usualPlaces = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * A PATH without its relative entries, the empty ones too: they would find programs where this process works, which may
 * be a source tree of somebody else.
 */
export function absolutePlaces(path: string = usualPlaces): string {
  return path
    .split(":")
    .filter((entry) => entry.startsWith("/"))
    .join(":");
}
