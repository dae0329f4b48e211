import { digestOf } from "../../store/oci/digest.ts";
import type { FetchedTrees } from "../inputs/context/fetched-trees.ts";
import type { GitOp } from "../graph/opspec.ts";
import type { Op } from "../solve/op.ts";
import { spokenRef } from "../inputs/source/git/refs.ts";
import type { GitIdentity, GitSource } from "../inputs/source/git/source.ts";
import { lookUpProgress, progressOf } from "./source-progress.ts";

/** A git repository: its commit names it. The remote is asked for that when keys are computed, and fetched to be read. */
export function gitOp(op: GitOp, source: GitSource, trees: FetchedTrees): Op {
  return {
    recorded: false,
    silent: true,
    async key(vertex, _inputs, context) {
      const found = await source.identify(op, lookUpProgress(vertex, context));
      return {
        key: digestOf(JSON.stringify(["git", ...keyParts(op, found)])),
        inputs: () => ({ git: `${shown(op, found)} ${found.commit}` }),
      };
    },
    async exec(vertex, _inputs, context) {
      const progress = progressOf(vertex, context);
      await trees.make(vertex.digest, op.remote, async () => await source.checkOut(op, progress));
      return { snapshot: undefined, identity: Promise.resolve(undefined) };
    },
  };
}

/** What makes the files: the commit; with its repository, what else is in that. */
function keyParts(op: GitOp, { object, commit, name }: GitIdentity): readonly unknown[] {
  const { subdir = "", keepGitDir = false, skipSubmodules = false, commitTime = false } = op;
  return [keepGitDir ? [object, name] : commit, subdir, skipSubmodules, commitTime];
}

function shown({ remote }: GitOp, { name }: GitIdentity): string {
  return name === undefined ? remote : `${spokenRef(name)} of ${remote}`;
}
