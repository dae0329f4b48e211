/** What a process in a user namespace of ours is told the user by: inside of it every user is root. */
export const hostUserVariable = "TSBUILD_USERNS_UID";

/** The user's number as the host knows it. */
export function hostUser(env: Readonly<Record<string, string | undefined>>, uid: number): number {
  const told = env[hostUserVariable];
  return told !== undefined && /^\d{1,10}$/.test(told) ? Number(told) : uid;
}
