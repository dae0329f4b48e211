import { TsbuildError } from "../native/errors.ts";

/** Layers have owners and steps have namespaces: both need root in this version. @throws E_ROOTLESS */
export function requireRoot(act: string): void {
  if (process.geteuid?.() === 0) return;
  throw new TsbuildError(`Cannot ${act} as a plain user: this version needs root for it`, {
    code: "E_ROOTLESS",
    hint: `sudo tsbuild ${act} ...`,
  });
}
