// The first file, in JavaScript: to strip types costs 40 ms, and is skipped for what the compile cache already has.
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { userCache } from "./user-cache.js";

const cache = process.env["NODE_DISABLE_COMPILE_CACHE"] === undefined ? userCache(process.env) : undefined;
if (cache !== undefined) enableCompileCache(join(cache, "compile"));

void import("./entry.ts").then(async ({ main }) => process.exit(await main(process.argv.slice(2))));
