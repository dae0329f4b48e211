import { readFileSync } from "node:fs";
import { TsbuildError } from "./errors.ts";

/** One row of a map: `count` numbers from `inside` on stand for those from `outside` on. @see user_namespaces(7) */
export interface IdRange {
  readonly inside: number;
  readonly outside: number;
  readonly count: number;
}

interface IdMaps {
  readonly users: readonly IdRange[];
  readonly groups: readonly IdRange[];
}

const allIds = 0xffff_ffff;
let maps: IdMaps | undefined;

function ownMaps(): IdMaps {
  maps ??= { users: readMap("/proc/self/uid_map"), groups: readMap("/proc/self/gid_map") };
  return maps;
}

/**
 * Whether this process is in a user namespace, where root is an ordinary user of the machine: overlayfs keeps its
 * attributes under user.*, devices cannot be made, and only some owners have a number.
 */
export function inUserNamespace(): boolean {
  const [first] = ownMaps().users;
  return first === undefined || first.inside !== 0 || first.outside !== 0 || first.count < allIds;
}

/** Whether files can belong to that user and group. */
export function canOwn(uid: number, gid: number): boolean {
  return isMapped(ownMaps().users, uid) && isMapped(ownMaps().groups, gid);
}

function isMapped(ranges: readonly IdRange[], id: number): boolean {
  return ranges.some(({ inside, count }) => id >= inside && id - inside < count);
}

/** The error for a user without a number here; `act`: `Cannot unpack /etc/shadow: its owner`. */
export function unmappedError(act: string, uid: number, gid: number): TsbuildError {
  return new TsbuildError(`${act} ${uid}:${gid} has no number in this user namespace`, {
    code: "E_NO_SUBUID",
    notes: [
      "a plain user gets numbers for other owners from /etc/subuid and /etc/subgid, by newuidmap of package uidmap",
    ],
    hint: "sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER   (or TSBUILD_USERNS=single: every file is root's)",
  });
}

/** The rows of a map file; none when it cannot be read. */
export function parseIdMap(text: string): readonly IdRange[] {
  return text.split("\n").flatMap((line) => {
    const [inside, outside, count] = line.trim().split(/\s+/).map(Number);
    return inside === undefined || outside === undefined || count === undefined ? [] : [{ inside, outside, count }];
  });
}

function readMap(file: string): readonly IdRange[] {
  try {
    return parseIdMap(readFileSync(file, "utf8"));
  } catch {
    return [{ inside: 0, outside: 0, count: allIds }];
  }
}
