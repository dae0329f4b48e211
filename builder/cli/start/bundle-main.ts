import { readFileSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { Script } from "node:vm";
import { hasAcl } from "../../../native/acl.ts";
import { CodeCache } from "../host/code-cache.ts";
import { userCache } from "../host/user-cache.js";

/** Told by the bundler: what the bundle's text digests to, and every word that begins a command. */
declare const BUNDLE_DIGEST: string;
declare const COMMAND_WORDS: readonly string[];

/** The first file of the bundle: loads the command beside it, with the code that earlier runs of it compiled. */
async function start(words: readonly string[]): Promise<never> {
  const cache = codeCache(words);
  const filename = join(import.meta.dirname, "tsbuild.cjs");
  const cachedData = cache?.read();
  const source = `(function (exports, require, module, __filename, __dirname) {${readFileSync(filename, "latin1")}\n})`;
  const script = new Script(source, { filename, ...(cachedData === undefined ? {} : { cachedData }) });
  const module: { exports: { main?: (words: readonly string[]) => Promise<number> } } = { exports: {} };
  const load = script.runInThisContext() as (...args: readonly unknown[]) => void;
  load(module.exports, require, module, filename, import.meta.dirname);
  const code = (await module.exports.main?.(words)) ?? 1;
  if (code === 0) cache?.write(script);
  process.exit(code);
}

function codeCache(words: readonly string[]): CodeCache | undefined {
  if (process.env["NODE_DISABLE_COMPILE_CACHE"] !== undefined) return undefined;
  const modules = userCache(process.env, "modules", hasAcl);
  if (modules === undefined) return undefined;
  enableCompileCache(modules);
  // A build, unless a command is named. Help is short, and must not be what a command's first runs teach.
  const word = words.find((one) => COMMAND_WORDS.includes(one)) ?? "build";
  const name = words.includes("--help") || words.includes("-h") ? "help" : word;
  const directory = userCache(process.env, "code", hasAcl);
  return directory === undefined ? undefined : new CodeCache(directory, `${BUNDLE_DIGEST}-${name}`);
}

void start(process.argv.slice(2));
