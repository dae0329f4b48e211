import { addForCopy } from "./own/add-for-copy.ts";
import { aptRecommends } from "./own/apt-recommends.ts";
import { aptUpdateAlone } from "./own/apt-update-alone.ts";
import { cacheMount } from "./own/cache-mount.ts";
import { chownAfterCopy } from "./own/chown-after-copy.ts";
import { copyBeforeInstall } from "./own/copy-before-install.ts";
import { downloadIntoPipe } from "./own/download-into-pipe.ts";
import { invalidCacheLimit } from "./own/invalid-cache-limit.ts";
import { latestBase } from "./own/latest-base.ts";
import { needlessSudo } from "./own/needless-sudo.ts";
import { npmInstall } from "./own/npm-install.ts";
import { packageCacheKept } from "./own/package-cache-kept.ts";
import { runWithoutEffect } from "./own/run-without-effect.ts";
import { unknownCheck } from "./own/unknown-check.ts";
import { unpinnedBase } from "./own/unpinned-base.ts";
import type { Rule } from "./rule.ts";
import { buildkitRules } from "./rules.ts";

/** tsbuild's own checks: what is nearly always wrong, each with how to mend it. */
export const ownRules: readonly Rule[] = [
  addForCopy,
  aptRecommends,
  aptUpdateAlone,
  chownAfterCopy,
  copyBeforeInstall,
  downloadIntoPipe,
  invalidCacheLimit,
  latestBase,
  needlessSudo,
  npmInstall,
  packageCacheKept,
  runWithoutEffect,
  unknownCheck(() => [...buildkitRules, ...ownRules].map(({ name }) => name)),
  cacheMount,
  unpinnedBase,
];
