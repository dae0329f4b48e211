import { TsbuildError } from "../../native/errors.ts";

/** Layers have owners and steps have namespaces: both need root, if only of a user namespace. @throws E_ROOTLESS */
export function requireRoot(act: string): void {
  if (process.geteuid?.() === 0) return;
  throw new TsbuildError(`Cannot ${act} as a plain user: that needs root, or a user namespace`, {
    code: "E_ROOTLESS",
    hint: "run the program in a namespace of its own: tsbuild unshare node app.ts",
  });
}
