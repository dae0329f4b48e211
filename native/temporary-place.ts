import { tmpdir } from "node:os";
import { findBreach } from "./breach.ts";

/**
 * Where temporary directories are made: $TMPDIR or /tmp, unless another user could exchange what is in it; then one of
 * the usual places.
 */
export function temporaryPlace(): string {
  const named = tmpdir();
  return [named, "/tmp", "/var/tmp", "/dev/shm"].find((place) => findBreach(place) === undefined) ?? named;
}
