import { openOverlay } from "../../../native/mount.ts";
import { getEnv } from "../../base/env.ts";

const most = 10_000;

/** Names of programs in the PATH of these layers, the upmost first. Never throws: it only helps. */
export function programs(layers: readonly string[], env: readonly string[]): readonly string[] {
  try {
    using root = openOverlay({ lower: layers });
    const names: string[] = [];
    for (const path of (getEnv(env, "PATH") ?? "").split(":").slice(0, 20)) {
      try {
        using directory = root.dir(path);
        names.push(...directory.names());
      } catch {
        continue; // not there, or no directory
      }
      if (names.length > most) break;
    }
    return names;
  } catch {
    return [];
  }
}
