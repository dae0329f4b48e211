import { constants, userInfo } from "node:os";
import { accessSync, constants as fsConstants, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { hasAcl } from "../../../native/acl.ts";
import { TsbuildError } from "../../../native/errors.ts";
import { initFile } from "../../../native/executable.ts";
import { hostUserVariable } from "./host-user.ts";
import { userCache } from "./user-cache.js";

/** How the owners of files are kept when a plain user works. */
export type UserNamespaceMode = "auto" | "single";

/** Set beside the user's number when the namespace could not be made: the step and the errno. */
const failure = "TSBUILD_USERNS_ERROR";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Starts this command line again in a user and a mount namespace, in the place of this process, as root there: files
 * then have the owners that /etc/subuid grants, and the rest of tsbuild need not know. Returns where that is done, or
 * not needed. @throws E_NO_USERNS, E_NATIVE_MISSING
 */
export function enterUserNamespace(mode: UserNamespaceMode, env: Environment): void {
  if (env[failure] !== undefined) throw noNamespace(env[failure]);
  const uid = process.getuid?.() ?? 0;
  if (uid === 0 || env[hostUserVariable] !== undefined) return;
  const username = nameOf(uid);
  const helpers = mode === "single" ? undefined : findHelpers(env["PATH"]);
  const users = helpers === undefined ? [] : subordinates("/etc/subuid", username, uid);
  const groups = helpers === undefined ? [] : subordinates("/etc/subgid", username, uid);
  const whole = users.length > 0 && groups.length > 0;
  const words = [
    "tsbuild-init",
    "userns",
    idMap(uid, whole ? users : []),
    idMap(process.getgid?.() ?? 0, whole ? groups : []),
    whole ? (helpers?.newuidmap ?? "") : "",
    whole ? (helpers?.newgidmap ?? "") : "",
  ];
  const again = [process.execPath, ...process.execArgv, "--", ...process.argv.slice(1)];
  // Whose the directories above it are cannot be seen in the namespace.
  const uncached = userCache(env, "modules", hasAcl) === undefined ? { NODE_DISABLE_COMPILE_CACHE: "1" } : {};
  replaceProcess(initFile(), [...words, ...again], { ...env, ...uncached, [hostUserVariable]: String(uid) });
}

/** Becomes another program. */
export function replaceProcess(file: string, words: readonly string[], env: Environment): never {
  if (process.execve === undefined) throw new Error("this Node has no process.execve");
  return process.execve(file, [...words], { ...env });
}

/** The user's name; the number where passwd has none. */
function nameOf(uid: number): string {
  try {
    return userInfo().username;
  } catch {
    return String(uid);
  }
}

interface Range {
  readonly start: number;
  readonly count: number;
}

/** Rows of /etc/subuid: `name:start:count`, by name or by number. @see subuid(5) */
export function parseSubordinates(text: string, name: string, uid: number): readonly Range[] {
  return text.split("\n").flatMap((line) => {
    const [owner, start, count] = line.trim().split(":");
    if ((owner !== name && owner !== String(uid)) || start === undefined || count === undefined) return [];
    const range = { start: Number(start), count: Number(count) };
    return Number.isInteger(range.start) && range.count > 0 ? [range] : [];
  });
}

function subordinates(file: string, name: string, uid: number): readonly Range[] {
  try {
    return parseSubordinates(readFileSync(file, "utf8"), name, uid);
  } catch {
    return [];
  }
}

/** Root is the user, from 1 on come the numbers that are granted. @see user_namespaces(7) */
export function idMap(own: number, ranges: readonly Range[]): string {
  let inside = 1;
  const rows = ranges.map(({ start, count }) => {
    const row = `${inside} ${start} ${count}`;
    inside += count;
    return row;
  });
  return [`0 ${own} 1`, ...rows].join(",");
}

function findHelpers(path: string = ""): { readonly newuidmap: string; readonly newgidmap: string } | undefined {
  const [newuidmap, newgidmap] = ["newuidmap", "newgidmap"].map((name) =>
    [...path.split(delimiter), "/usr/bin"].map((directory) => join(directory, name)).find(isExecutable),
  );
  return newuidmap === undefined || newgidmap === undefined ? undefined : { newuidmap, newgidmap };
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, fsConstants.X_OK);
    return file.startsWith("/");
  } catch {
    return false;
  }
}

/** Settings that keep plain users from user namespaces, with the value that does and what to do. */
const obstacles = [
  {
    file: "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
    value: "1",
    help: "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0",
  },
  {
    file: "/proc/sys/kernel/unprivileged_userns_clone",
    value: "0",
    help: "sudo sysctl kernel.unprivileged_userns_clone=1",
  },
  { file: "/proc/sys/user/max_user_namespaces", value: "0", help: "sudo sysctl user.max_user_namespaces=15000" },
] as const;

function noNamespace(told: string): TsbuildError {
  const [, step = told, number = ""] = /^(.*) (\d+)$/.exec(told) ?? [];
  const errno = Object.entries(constants.errno).find(([, value]) => String(value) === number)?.[0] ?? number;
  const found = obstacles.find(({ file, value }) => readText(file) === value);
  if (step === "map") {
    return new TsbuildError("Cannot map the users of this user namespace: newuidmap or newgidmap refused", {
      code: "E_NO_SUBUID",
      notes: ["the ranges are those of /etc/subuid and /etc/subgid"],
      hint: "check that the helpers are setuid root (apt-get install --reinstall uidmap), or: TSBUILD_USERNS=single tsbuild ...",
    });
  }
  return new TsbuildError(`Cannot work as a plain user: this user may not create user namespaces (${step}: ${errno})`, {
    code: "E_NO_USERNS",
    notes:
      found === undefined ? [] : [`${found.file.slice("/proc/sys/".length).replaceAll("/", ".")} = ${found.value}`],
    hint:
      found === undefined
        ? "sudo tsbuild ..., or a container that may make user namespaces"
        : `${found.help}   (or: sudo tsbuild ...)`,
  });
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return undefined;
  }
}
