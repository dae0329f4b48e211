import { enableCompileCache } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

/** Compiled code is kept in the user's own cache, never in /tmp where others could plant it. */
function cacheDirectory(): string {
  const home = process.env["XDG_CACHE_HOME"];
  return join(home === undefined || home === "" ? join(homedir(), ".cache") : home, "tsbuild", "compile");
}

if (process.env["NODE_DISABLE_COMPILE_CACHE"] === undefined) enableCompileCache(cacheDirectory());
const { main } = await import("./entry.ts");
process.exit(await main(process.argv.slice(2)));
