import { disarmedJson } from "../ci/disarm.ts";

/** JSON that is safe on a terminal and in the log of a CI service: what either could obey is written as `\\u...`. */
export function jsonText(value: unknown, indent?: number): string {
  const json = JSON.stringify(value, undefined, indent) ?? "null";
  const shown = json.replaceAll(
    /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return disarmedJson(shown);
}
