import type { HasAcl } from "../../../native/guarded-path.js";

export declare function userCache(
  env: Readonly<Record<string, string | undefined>>,
  name: "modules" | "code",
  hasAcl?: HasAcl,
): string | undefined;
