// The first file, in JavaScript: to strip types costs 40 ms, and is skipped for what the compile cache already has.
import { mkdirSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

// In the user's own cache, never in /tmp where others could plant compiled code.
const home = process.env["XDG_CACHE_HOME"];
const caches = home === undefined || home === "" ? join(homedir(), ".cache") : home;
if (process.env["NODE_DISABLE_COMPILE_CACHE"] === undefined && isThere(caches) && isThere(join(caches, "tsbuild")))
  enableCompileCache(join(caches, "tsbuild", "compile"));

void import("./entry.ts").then(async ({ main }) => process.exit(await main(process.argv.slice(2))));

/** Where a directory cannot be made Node would try without end. */
function isThere(directory) {
  try {
    mkdirSync(directory, { mode: 0o700 });
    return true;
  } catch (error) {
    return error.code === "EEXIST";
  }
}
