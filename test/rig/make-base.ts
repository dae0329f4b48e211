import { buildBases } from "./bases.ts";

/** `node make-base.ts STORE KEY...`: builds base images (busybox, debian, python, golang, node) into a store. */
const [store, ...keys] = process.argv.slice(2);
if (store === undefined || keys.length === 0) {
  console.error("usage: node test/rig/make-base.ts STORE busybox|debian|python|golang|node ...");
  process.exit(2);
}
await buildBases(store, keys);
