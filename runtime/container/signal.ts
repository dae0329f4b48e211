import { constants } from "node:os";
import { TsbuildError } from "../../native/errors.ts";

/** Of Linux, where realtime signals are the last ones. */
const highest = 64;

/** The number of a signal: 15, "SIGTERM" or "TERM". @throws E_SIGNAL_INVALID */
export function signalNumber(signal: number | string): number {
  const number = typeof signal === "number" ? signal : numberOf(String(signal));
  if (number !== undefined && Number.isInteger(number) && number >= 1 && number <= highest) return number;
  throw new TsbuildError(`Cannot send a signal: invalid signal ${JSON.stringify(signal)}`, {
    code: "E_SIGNAL_INVALID",
    hint: "give a name or a number from 1 to 64: SIGTERM, 15",
  });
}

function numberOf(name: string): number | undefined {
  const full = name.toUpperCase().replace(/^(?!SIG)/, "SIG");
  return new Map<string, number>(Object.entries(constants.signals)).get(full);
}
