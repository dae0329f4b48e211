// The first file, in JavaScript: to strip types costs 40 ms, and is skipped for what the compile cache already has.
import { enableCompileCache } from "node:module";
import { userCache } from "./host/user-cache.js";

const cache = process.env["NODE_DISABLE_COMPILE_CACHE"] === undefined ? userCache(process.env, "modules") : undefined;
if (cache !== undefined) enableCompileCache(cache);

void import("./start/entry.ts").then(async ({ main }) => process.exit(await main(process.argv.slice(2))));
