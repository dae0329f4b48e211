import { constants } from "node:os";

const realtime = /^(?:SIG)?RTM(?:IN(?:\+\d{1,2})?|AX(?:-\d{1,2})?)$/;

/** Whether docker takes the text for a signal: a number from 1 to 64, or a name with or without SIG. */
export function isSignal(text: string): boolean {
  if (/^\d+$/.test(text)) return Number(text) > 0 && Number(text) <= 64;
  const name = text.toUpperCase();
  return (name.startsWith("SIG") ? name : `SIG${name}`) in constants.signals || realtime.test(name);
}
