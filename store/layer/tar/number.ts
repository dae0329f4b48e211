import { invalid } from "./invalid.ts";

/** A number field of a header: octal text, or base 256 with the top bit set. @throws E_TAR_INVALID */
export function readNumber(block: Buffer, [at, length]: readonly [number, number]): number {
  const first = block[at] ?? 0;
  if ((first & 0x80) !== 0) {
    let value = BigInt(first & 0x7f);
    for (let one = at + 1; one < at + length; one++) value = (value << 8n) | BigInt(block[one] ?? 0);
    return safe(BigInt.asIntN(length * 8 - 1, value));
  }
  return plainOctal(block, at, at + length) ?? paddedOctal(block, at, length);
}

/** Digits from the first byte to a NUL, a last space or the end, as nearly every program writes them; else undefined. */
function plainOctal(block: Buffer, start: number, end: number): number | undefined {
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = (block[at] ?? 0) - 0x30;
    if (digit >= 0 && digit < 8) value = value * 8 + digit;
    else return at > start && (digit === -0x30 || (digit === -0x10 && at === end - 1)) ? value : undefined;
  }
  return value;
}

function paddedOctal(block: Buffer, at: number, length: number): number {
  // As Go's archive/tar: padded by spaces and NULs on both sides, ended by a NUL.
  const padded = block.toString("latin1", at, at + length).replace(/^[\0 ]+/, "");
  const [text = ""] = padded.split("\0", 1);
  const digits = text.trimEnd();
  if (digits === "") return 0;
  if (!/^[0-7]+$/.test(digits)) throw invalid(`${JSON.stringify(digits)} is not an octal number`);
  return Number.parseInt(digits, 8);
}

/** As readNumber(), where below zero means nothing. @throws E_TAR_INVALID */
export function readCount(block: Buffer, field: readonly [number, number]): number {
  const value = readNumber(block, field);
  if (value < 0) throw invalid(`${value} is below zero`);
  return value;
}

/** A number of a PAX record. @throws E_TAR_INVALID */
export function decimal(text: string): number {
  if (!/^\d{1,19}$/.test(text)) throw invalid(`${JSON.stringify(text.slice(0, 40))} is not a number`);
  return safe(BigInt(text));
}

function safe(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw invalid(`${value} is too large a number`);
  return number;
}
