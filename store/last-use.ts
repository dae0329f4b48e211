/** The last moment of the year 9999, in milliseconds since 1970. */
const always = 253_402_300_799_999;

/**
 * What was last used then or earlier has not been used for so long (ms). Everything has been for none, also what is dated
 * after now: a clock that was wrong must not make anything stay for ever.
 */
export function lastUseLimit(unusedFor: number): number {
  return unusedFor <= 0 ? always : Date.now() - unusedFor;
}

/** Last uses are kept to the hour: a build that finds everything then writes nothing. */
const resolution = 3_600_000;

/** Whether a last use is to be written again now; one of a clock that was ahead is, too. */
export function isUseOutdated(used: number): boolean {
  return Math.abs(Date.now() - used) > resolution;
}
