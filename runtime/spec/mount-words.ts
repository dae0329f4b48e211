import { TsbuildError } from "../../native/errors.ts";
import { mountAttributes, type BindMount, type FileSystemMount, type MountAttribute } from "./mount.ts";

/** A mount in the words of mount(8), as people and specifications of others write it. */
export interface WordedMount {
  /** "bind", or a file system that the kernel knows. */
  readonly type: string;
  readonly source: string;
  readonly target: string;
  readonly options: readonly string[];
}

/** Words that say what is the case anyway, or that choose how a bind is made. */
const plainWords: ReadonlySet<string> = new Set([
  "rw",
  "bind",
  "rbind",
  "suid",
  "dev",
  "exec",
  "private",
  "rprivate",
  "rslave",
]);
/** A spec has kinds of its own for them. */
const ownKinds: ReadonlySet<string> = new Set(["overlay", "file", "socket", "device"]);

/**
 * What is not understood is refused, not left out: for a bind every word, for another file system what the kernel does not
 * know. @throws E_MOUNT_OPTION
 */
export function mountOfWords({ type, source, target, options }: WordedMount): BindMount | FileSystemMount {
  const attributes = options.filter(isAttribute);
  const data = options.filter((option) => !isAttribute(option) && !plainWords.has(option));
  if (ownKinds.has(type)) throw mountError(type, target, "it cannot be made of a type and options alone");
  if (type !== "bind") return { kind: "filesystem", type, source, target, attributes, data };
  if (data.length > 0) throw mountError(type, target, `"${data.join(",")}" is no option of a bind`);
  return { kind: "bind", source, target, attributes, recursive: options.includes("rbind") };
}

function isAttribute(word: string): word is MountAttribute {
  return (mountAttributes as readonly string[]).includes(word);
}

function mountError(type: string, target: string, why: string): TsbuildError {
  return new TsbuildError(`Cannot mount ${type} on ${JSON.stringify(target)}: ${why}`, {
    code: "E_MOUNT_OPTION",
    hint: `options are ${[...mountAttributes, ...plainWords].join(", ")}`,
  });
}
