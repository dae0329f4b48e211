import { createRequire } from "node:module";
import { installedFile } from "./package-file.ts";

/** koffi's functions. */
export type Koffi = typeof import("koffi");

const load = createRequire(import.meta.url);

/**
 * Loads koffi. Its addon alone takes 2 ms; the package around it, which finds out the platform and deprecates old names,
 * takes 8. So the addon is loaded from where koffi's own package for this platform has it, else koffi as documented.
 */
export function loadKoffi(): Koffi {
  const addon = installedFile(`@koromix/koffi-linux-${process.arch}`, `linux_${process.arch}`, "koffi.node");
  if (addon === undefined) return load("koffi");
  try {
    return load(addon);
  } catch {
    return load("koffi"); // another libc than the one thought of
  }
}
