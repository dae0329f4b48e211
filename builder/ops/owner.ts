import type { OpContext } from "../solve/op.ts";
import type { SolvedStep } from "../solve/step.ts";
import { userFiles } from "./container/user-files.ts";
import { resolveOwner } from "./container/user.ts";

/**
 * Whom files made for `user` (as `--chown` has it) belong to in the base's file system. `unknown` as of resolveOwner().
 * @throws E_USER_NOT_FOUND, E_GROUP_NOT_FOUND, E_NO_SUBUID
 */
export function ownerOf(
  user: string,
  base: SolvedStep | undefined,
  { squashOwners }: Pick<OpContext, "squashOwners">,
  unknown?: "root",
): { readonly uid: number; readonly gid: number } {
  return squashOwners ? { uid: 0, gid: 0 } : resolveOwner(user, userFiles(base?.snapshot), unknown);
}
