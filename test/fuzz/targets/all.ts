import type { FuzzTarget } from "../rig/target.ts";
import { compressed, tar } from "./archive.ts";
import { lines, output, screen, templates } from "./command.ts";
import { configs, manifests, settings, yaml } from "./documents.ts";
import { dockerfile, plan } from "./dockerfile.ts";
import { hostfiles, sshKeys, users } from "./host-files.ts";
import { platforms, references, scalars, urls } from "./names.ts";
import { globs, ignore, trees } from "./patterns.ts";
import { answers, authfiles, challenges, headers, hostconfigs } from "./registry.ts";
import { heredocs, mounts, words } from "./words.ts";

/** Everything that reads what others wrote. */
export const allTargets: readonly FuzzTarget[] = [
  dockerfile,
  plan,
  words,
  heredocs,
  mounts,
  ignore,
  trees,
  globs,
  references,
  platforms,
  scalars,
  urls,
  manifests,
  configs,
  settings,
  yaml,
  challenges,
  answers,
  headers,
  authfiles,
  hostconfigs,
  tar,
  compressed,
  users,
  hostfiles,
  sshKeys,
  lines,
  templates,
  screen,
  output,
];
