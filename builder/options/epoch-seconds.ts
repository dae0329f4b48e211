/** Whether a value of SOURCE_DATE_EPOCH is a time itself, in seconds since 1970, and not the name of what has one. */
export function isSeconds(text: string): boolean {
  return /^[0-9]{1,12}$/.test(text);
}
