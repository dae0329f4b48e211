import { resolve } from "node:path";
import { hasAcl } from "./acl.ts";
import { accountRows, breachOf, walkGuarded, type Breach } from "./guarded-path.js";

/**
 * Who beside root and this user could change the file or a directory above it; undefined where nobody could, and where
 * this user may not look: it cannot read there either.
 */
export function findBreach(path: string): Breach | undefined {
  try {
    const { path: found, stat, breach } = walkGuarded(resolve(path), { hasAcl });
    return breach ?? (stat === undefined ? undefined : breachOf(found, stat, hasAcl));
  } catch {
    return undefined;
  }
}

/** `user alice (1001) owns /home/alice`; `what` stands for the path. */
export function describeBreach({ path, uid, gid, who }: Breach, what: string = path): string {
  if (who === "owner") return `${uid === 0 ? "root" : `user ${named("passwd", uid)}`} owns ${what}`;
  if (who === "list") return `an access control list lets others write to ${what}`;
  return `${who === "group" ? `group ${named("group", gid)}` : "everybody"} can write to ${what}`;
}

/** The command that takes the path out of the other's hands. */
export function mendBreach({ path, uid, who }: Breach): string {
  const own = process.geteuid?.();
  const sudo = own === 0 || (who !== "owner" && uid === own) ? "" : "sudo ";
  return `${sudo}${{ owner: "chown root", list: "setfacl -b", group: "chmod g-w", everybody: "chmod go-w" }[who]} ${path}`;
}

/** The user's name; undefined where passwd has none. */
export function userName(uid: number): string | undefined {
  return nameOf("passwd", uid);
}

function named(table: "passwd" | "group", id: number): string {
  const name = nameOf(table, id);
  return name === undefined ? `(${id})` : `${name} (${id})`;
}

function nameOf(table: "passwd" | "group", id: number): string | undefined {
  return accountRows(`/etc/${table}`).find((row) => row[2] === String(id))?.[0];
}
