import { readFileSync } from "node:fs";
import { packageFile } from "../../../native/package-file.ts";

/** `version` of package.json. */
export function packageVersion(): string {
  const parsed: unknown = JSON.parse(readFileSync(packageFile("package.json"), "utf8"));
  const version = typeof parsed === "object" && parsed !== null && "version" in parsed ? parsed.version : undefined;
  return typeof version === "string" ? version : "unknown";
}
