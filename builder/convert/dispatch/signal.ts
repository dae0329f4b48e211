import { constants } from "node:os";

const realtime = /^RTM(?:IN(?:\+(?:[1-9]|1[0-5]))?|AX(?:-(?:[1-9]|1[0-4]))?)$/;

/** Whether docker takes the text for a signal: a number from 1 to 64, or a name with or without SIG. */
export function isSignal(text: string): boolean {
  if (/^\d+$/.test(text)) return Number(text) > 0 && Number(text) <= 64;
  const name = text.toUpperCase().replace(/^SIG/, "");
  return name === "CLD" || `SIG${name}` in constants.signals || realtime.test(name);
}
