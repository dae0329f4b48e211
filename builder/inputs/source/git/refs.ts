import { isCommit } from "../../../base/git-options.ts";

/** What a ref of a remote is. */
export interface RemoteRef {
  /** `refs/heads/main`; HEAD where the remote does not tell its default branch. */
  readonly name: string;
  /** Of a commit or an annotated tag. */
  readonly object: string;
  /** Of the commit that an annotated tag means; otherwise as `object`. */
  readonly commit: string;
}

/** The arguments of ls-remote that ask for a ref, or for the default branch. */
export function lsRemoteArguments(remote: string, ref: string | undefined): readonly string[] {
  if (ref === undefined) return ["ls-remote", "--symref", "--", remote, "HEAD"];
  return ["ls-remote", "--", remote, ref, `${ref}^{}`];
}

/**
 * What `ref` means among the lines of ls-remote: a full name without `refs/`, else a branch, else a tag, as `git checkout`
 * chooses. undefined: nothing.
 */
export function pickRef(output: string, ref: string | undefined): RemoteRef | undefined {
  const refs = new Map<string, string>();
  let head = "HEAD";
  for (const line of output.split("\n")) {
    const [object = "", name = ""] = line.split("\t");
    if (name === "HEAD" && object.startsWith("ref: ")) head = object.slice("ref: ".length);
    else if (isCommit(object)) refs.set(name, object);
  }
  const found = ref === undefined ? ["HEAD"] : candidates(ref);
  const name = found.find((one) => refs.has(one));
  const object = name === undefined ? undefined : refs.get(name);
  if (name === undefined || object === undefined) return undefined;
  const peeled = name.startsWith("refs/tags/") ? refs.get(`${name}^{}`) : undefined;
  return { name: ref === undefined ? head : name, object, commit: peeled ?? object };
}

function candidates(ref: string): readonly string[] {
  const without = (prefix: string): string => (ref.startsWith(prefix) ? ref.slice(prefix.length) : ref);
  return [`refs/${without("refs/")}`, `refs/heads/${without("refs/heads/")}`, `refs/tags/${without("refs/tags/")}`];
}

/** As people say it: `branch main`, `tag v1`, `refs/pull/1/head`. */
export function spokenRef(name: string): string {
  return name.replace(/^refs\/heads\//, "branch ").replace(/^refs\/tags\//, "tag ");
}
