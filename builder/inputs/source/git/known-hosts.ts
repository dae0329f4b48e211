import { join } from "node:path";
import { findBreach } from "../../../../native/breach.ts";

/**
 * The user's list of the keys of hosts, by $HOME; none where another user could have written it (`sudo -E`): ssh itself
 * looks into the home that the system knows.
 */
export function userKnownHosts(home: string | undefined): readonly string[] {
  if (home?.startsWith("/") !== true) return [];
  const file = join(home, ".ssh/known_hosts");
  return findBreach(file) === undefined ? [file] : [];
}
