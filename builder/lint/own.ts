import { invalidCacheLimit } from "./own/invalid-cache-limit.ts";
import type { Rule } from "./rule.ts";

/** Whether tsbuild's own checks are made; "error": what they find fails the build or the check. */
export type OwnChecks = boolean | "error";

/**
 * tsbuild's own rules. When nothing is said a check has all, a build the one about comments that are for tsbuild alone.
 * They are loaded only where they are used.
 */
export async function chosenRules(asked: OwnChecks | undefined, usual: "all" | "few"): Promise<readonly Rule[]> {
  if (asked === false) return [];
  if (asked === undefined && usual === "few") return [invalidCacheLimit];
  const { ownRules } = await import("./own-rules.ts");
  return ownRules;
}
