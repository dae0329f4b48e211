import { TsbuildError } from "../../native/errors.ts";

/** The error with its own code and advice when a full disk is at the bottom of it; otherwise the error itself. */
export function withSpaceHint(error: unknown): unknown {
  const told = error instanceof TsbuildError && (error.code === "E_NO_SPACE" || error.code === "E_OUTPUT_FILE");
  if (told || !isNoSpace(error)) return error;
  return new TsbuildError("Cannot write: no space is left on the store's disk", {
    code: "E_NO_SPACE",
    cause: error,
    notes: error instanceof Error ? [error.message] : [],
    hint: "free some: tsbuild prune, or tsbuild prune --all for the whole cache; or use another disk: --root DIR",
  });
}

function isNoSpace(error: unknown): boolean {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const code = "code" in at ? String(at.code) : "";
    if (/^(?:E_SYS_)?(?:ENOSPC|EDQUOT)$/.test(code) || /disk is full/.test(at.message)) return true;
  }
  return false;
}
