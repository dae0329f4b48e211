/** Whether a stream gets colours. @see https://no-color.org, https://force-color.org, https://bixense.com/clicolors */
export function wantsColor(env: Readonly<Record<string, string | undefined>>, isTerminal: boolean): boolean {
  const set = (name: string): string | undefined => (env[name] === "" ? undefined : env[name]);
  if (set("NO_COLOR") !== undefined) return false;
  const force = set("FORCE_COLOR") ?? set("CLICOLOR_FORCE");
  if (force !== undefined) return force !== "0" && force !== "false";
  return isTerminal && env["TERM"] !== "dumb" && env["CLICOLOR"] !== "0";
}
