import type { TsbuildError } from "../../native/errors.ts";

/** What a git URL says beside the repository; undefined: nothing. */
export interface GitOptions {
  /** A branch, tag, full name (`refs/pull/1/head`) or commit. */
  readonly ref: string | undefined;
  readonly subdir: string | undefined;
  /** The beginning of the commit's (or annotated tag's) hash. */
  readonly checksum?: string | undefined;
  readonly keepGitDir?: boolean | undefined;
  readonly submodules?: boolean | undefined;
  readonly mtime?: "checkout" | "commit" | undefined;
  /** The checksum is the commit to fetch; the remote is not asked what the ref means. */
  readonly fetchByCommit?: boolean | undefined;
}

type Fail = (why: string) => TsbuildError;
/** As Go's strconv.ParseBool. */
const truth = /^(?:1|t|true)$/i;
const falsehood = /^(?:0|f|false)$/i;
const commit = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** Whether a text is a whole hash. */
export function isCommit(text: string): boolean {
  return commit.test(text);
}

/** Adds what the query says to what the fragment says. `fail` makes the error. */
export function applyQuery(base: Pick<GitOptions, "ref" | "subdir">, query: string, fail: Fail): GitOptions {
  const values = readQuery(query, fail);
  const subdir = agreed("subdir", base.subdir, values.get("subdir")?.replace(/^\/+/, ""), fail);
  const checksum = checksumOf(values, fail);
  const ref = refOf(base.ref, values, fail);
  const mtime = mtimeOf(values.get("mtime"), fail);
  const fetchByCommit = flag(values, "fetch-by-commit", fail);
  if (ref !== undefined && !isCommit(ref)) checkRef(ref, fail);
  if (fetchByCommit === true && (checksum === undefined || !isCommit(checksum)))
    throw fail("fetch-by-commit needs a checksum with all digits of the commit");
  return {
    ref,
    subdir,
    checksum,
    keepGitDir: flag(values, "keep-git-dir", fail),
    submodules: flag(values, "submodules", fail),
    mtime,
    fetchByCommit,
  };
}

const flags = new Set(["keep-git-dir", "submodules", "fetch-by-commit"]);
const names = new Set(["ref", "tag", "branch", "subdir", "checksum", "commit", "mtime", ...flags]);

function readQuery(query: string, fail: Fail): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(query)) {
    if (!names.has(name)) throw fail(`${JSON.stringify(name)} is not one of ${[...names].join(", ")}`);
    if (values.has(name)) throw fail(`${name} is given twice`);
    if (value === "" && !flags.has(name)) throw fail(`${name} has no value`);
    values.set(name, value);
  }
  return values;
}

function flag(values: ReadonlyMap<string, string>, name: string, fail: Fail): boolean | undefined {
  const value = values.get(name);
  if (value === undefined) return undefined;
  if (value === "" || truth.test(value)) return true;
  if (falsehood.test(value)) return false;
  throw fail(`${name}=${value} is neither true nor false`);
}

function mtimeOf(value: string | undefined, fail: Fail): GitOptions["mtime"] {
  if (value === undefined || value === "checkout" || value === "commit") return value;
  throw fail(`mtime=${value} is neither checkout nor commit`);
}

function checksumOf(values: ReadonlyMap<string, string>, fail: Fail): string | undefined {
  const checksum = agreed("checksum", values.get("checksum"), values.get("commit"), fail);
  if (checksum === undefined) return undefined;
  return checkChecksum(checksum, fail);
}

/** The digits of a commit, in lower case. */
export function checkChecksum(text: string, fail: Fail): string {
  if (/^[0-9a-f]{1,64}$/i.test(text)) return text.toLowerCase();
  throw fail(`the checksum ${JSON.stringify(text)} is not the hash of a commit`);
}

function refOf(base: string | undefined, values: ReadonlyMap<string, string>, fail: Fail): string | undefined {
  const tag = prefixed("refs/tags/", values.get("tag"));
  const branch = prefixed("refs/heads/", values.get("branch"));
  if (tag !== undefined && branch !== undefined) throw fail("it has both a tag and a branch");
  return agreed("ref", agreed("ref", base, values.get("ref"), fail), tag ?? branch, fail);
}

function prefixed(prefix: string, name: string | undefined): string | undefined {
  return name === undefined || name.startsWith(prefix) ? name : prefix + name;
}

function agreed(what: string, one: string | undefined, other: string | undefined, fail: Fail): string | undefined {
  if (one === undefined || other === undefined || one === other) return one ?? other;
  throw fail(`it has two values for ${what}: ${JSON.stringify(one)} and ${JSON.stringify(other)}`);
}

/** A name that git takes for nothing else, such as an option or a range. @see git-check-ref-format(1) */
function checkRef(ref: string, fail: Fail): void {
  const bad = /[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\/|(?:^|\/)\.|^[-/]|[/.]$|\.lock(?:\/|$)|^@$/.test(ref);
  if (bad || ref.length > 1024) throw fail(`${JSON.stringify(ref)} cannot be the name of a branch or tag`);
}
