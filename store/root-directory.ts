import { chmodSync, readdirSync, type Stats } from "node:fs";
import { join } from "node:path";
import { hasAcl, hasDefaultAcl, removeDefaultAcl } from "../native/acl.ts";
import { describeBreach, mendBreach, userName } from "../native/breach.ts";
import { TsbuildError } from "../native/errors.ts";
import { walkGuarded, writersOf, type Breach } from "../native/guarded-path.js";
import { openError } from "./open-error.ts";

/** Whoever reaches what is in a store can execute the setuid programs of its layers: this user alone comes in. */
const closed = 0o700;
/** What may be in a directory that is closed. With anything else in it others may have business there. */
const known: ReadonlySet<string> = new Set(
  (
    "blobs builds contexts gc.lock git holds ingest leases lock lost+found mounts reserve snapshots states steps.lock " +
    "store.db store.db-shm store.db-wal urls"
  ).split(" "),
);

/**
 * Makes the store's directory, or takes one that is there and closes it to everybody else, whatever the umask and the
 * directory around it say: those of older versions were open. @throws E_STORE_UNSAFE, an Error of node:fs
 */
export function claimRoot(root: string): void {
  const { path, stat, breach, isNew } = walkGuarded(root, { make: Infinity, hasAcl });
  if (breach !== undefined) throw unsafe(root, breach);
  if (stat === undefined || !stat.isDirectory())
    throw Object.assign(new Error(`ENOTDIR: ${path}`), { code: "ENOTDIR" });
  checkOwner(root, path, stat);
  if (isNew === true || (stat.mode & 0o7777) !== closed || hasDefaultAcl(path)) close(root, path, stat);
}

/**
 * Whether there is a store that nobody but this user and root can have written to. Nothing is made or changed.
 * @throws E_STORE_UNSAFE, E_STORE_OPEN
 */
export function checkRoot(root: string): boolean {
  try {
    return isGuarded(root);
  } catch (error) {
    throw openError(error, root);
  }
}

function isGuarded(root: string): boolean {
  const { path, stat, breach } = walkGuarded(root, { hasAcl });
  if (breach !== undefined) throw unsafe(root, breach);
  if (stat === undefined) return false;
  checkOwner(root, path, stat);
  const writable = writersOf(path, stat, hasAcl);
  if (writable !== undefined && !isEmpty(readdirSync(path))) throw unsafe(root, writable);
  return true;
}

function checkOwner(root: string, path: string, { uid, gid }: Stats): void {
  if (uid !== process.geteuid?.()) throw unsafe(root, { path, uid, gid, who: "owner" });
}

/** Of a new volume this is all. */
function isEmpty(names: readonly string[]): boolean {
  return names.every((name) => name === "lost+found");
}

/** One that others could write to may hold what they put there, unless it is empty. */
function close(root: string, path: string, stat: Stats): void {
  const writable = writersOf(path, stat, hasAcl);
  const isClosed = (stat.mode & 0o7777) === closed;
  const strange = readdirSync(path).find((name) => !known.has(name));
  if (strange !== undefined && writable === undefined && !isClosed) throw notAlone(root, strange);
  chmodSync(path, closed);
  const entries = readdirSync(path, { withFileTypes: true });
  if (writable !== undefined && !isEmpty(entries.map(({ name }) => name))) {
    chmodSync(path, stat.mode & 0o7777);
    throw unsafe(root, writable);
  }
  // Else all that is made in it would be for those whom the directory around it names.
  removeDefaultAcl(path);
  for (const entry of entries.filter(({ name }) => known.has(name))) {
    if (entry.isDirectory()) closeDirectory(join(path, entry.name));
    else if (entry.isFile()) chmodSync(join(path, entry.name), 0o600);
  }
}

function closeDirectory(path: string): void {
  chmodSync(path, closed);
  removeDefaultAcl(path);
}

function notAlone(root: string, name: string): TsbuildError {
  return new TsbuildError(`Cannot use ${root} for a store: others can enter it, and it holds more than that: ${name}`, {
    code: "E_STORE_UNSAFE",
    hint: `give the store a directory of its own: --root ${join(root, "tsbuild")}   (or, if nobody else needs what is there: chmod 700 ${root})`,
  });
}

function unsafe(root: string, breach: Breach): TsbuildError {
  const itself = breach.path === root;
  const what = describeBreach(breach, itself ? "it" : breach.path);
  return new TsbuildError(`Cannot use the store in ${root}: ${what}${itself ? "" : ", and could replace it"}`, {
    code: "E_STORE_UNSAFE",
    hint: `${itself ? mendStore(breach) : mendBreach(breach)}   (or use another store: --root DIR or TSBUILD_ROOT)`,
  });
}

function mendStore({ path, uid, who }: Breach): string {
  if (who !== "owner") return `if nobody else has put anything there: chmod 700 ${path}`;
  if (uid === 0) return "sudo tsbuild ...";
  return process.geteuid?.() === 0 ? `sudo -u ${userName(uid) ?? `'#${uid}'`} tsbuild ...` : "run it as that user";
}
